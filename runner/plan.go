package runner

import (
	"fmt"
	"io"
	"os"

	"github.com/rio-streams/rio/topology"
)

// PlanVariable is the environment variable that makes Run print the plan of its topology to standard output and return,
// instead of running it. Its value is one of the formats below; rio plan sets it.
const PlanVariable = "RIO_PLAN"

// Formats of a plan: the text that golden files keep, and two languages of drawings.
const (
	PlanText    = "text"
	PlanMermaid = "mermaid"
	PlanDOT     = "dot"
)

// planOnly prints the plan if the environment asks for it, and reports whether it did.
func planOnly(t *topology.Topology) (bool, error) {
	format := os.Getenv(PlanVariable)
	if format == "" {
		return false, nil
	}
	return true, printPlan(os.Stdout, t, format)
}

func printPlan(out io.Writer, t *topology.Topology, format string) error {
	plans := map[string]func() string{PlanText: t.String, PlanMermaid: t.Mermaid, PlanDOT: t.DOT}
	plan := plans[format]
	if plan == nil {
		return fmt.Errorf("runner: %s is %q: want %s, %s or %s", PlanVariable, format, PlanText, PlanMermaid, PlanDOT)
	}
	if _, err := io.WriteString(out, plan()); err != nil {
		return fmt.Errorf("runner: print the plan: %w", err)
	}
	return nil
}
