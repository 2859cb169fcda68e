package runner

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/rio-streams/rio/topology"
)

// The environment can make Run show the plan of its topology instead of running it. rio plan does so; it works for any
// program that gets as far as Run.
const (
	// PlanVariable holds the format: PlanText, PlanMermaid or PlanDOT.
	PlanVariable = "RIO_PLAN"
	// PlanFileVariable holds the name of a file to append the plan to. Default: standard output.
	PlanFileVariable = "RIO_PLAN_FILE"
)

// Formats of a plan: the text that golden files keep, and two languages of drawings.
const (
	PlanText    = "text"
	PlanMermaid = "mermaid"
	PlanDOT     = "dot"
)

// ErrPlanned is what Run returns when it has shown the plan. It is an error so that a program ends there, as with any
// other, rather than go on as if its topology had run.
var ErrPlanned = errors.New("the plan is shown and nothing was run, because " + PlanVariable + " is set")

// showPlan shows the plan and returns an error if the environment asks for it.
func showPlan(t *topology.Topology) error {
	format := os.Getenv(PlanVariable)
	if format == "" {
		return nil
	}
	plans := map[string]func() string{PlanText: t.String, PlanMermaid: t.Mermaid, PlanDOT: t.DOT}
	if plans[format] == nil {
		return fmt.Errorf("runner: %s is %q: want %s, %s or %s", PlanVariable, format, PlanText, PlanMermaid, PlanDOT)
	}
	if err := writePlan(os.Getenv(PlanFileVariable), plans[format]()); err != nil {
		return fmt.Errorf("runner: show the plan: %w", err)
	}
	return fmt.Errorf("runner: %w", ErrPlanned)
}

func writePlan(name, plan string) error {
	if name == "" {
		_, err := io.WriteString(os.Stdout, plan)
		return err
	}
	file, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = io.WriteString(file, plan)
	return errors.Join(err, file.Close())
}
