package runner

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/rio-streams/rio/topology"
)

// These environment variables make Run and Start write the plan of the topology instead of running it. The command rio plan
// sets them; it works for every program that calls Run or Start.
const (
	// PlanVariable is the format of the plan: PlanText, PlanMermaid or PlanDOT.
	PlanVariable = "RIO_PLAN"
	// PlanFileVariable is the name of a file to append the plan to. Default: standard output.
	PlanFileVariable = "RIO_PLAN_FILE"
)

// Formats of a plan: plain text, as in golden files, and two diagram languages.
const (
	PlanText    = "text"
	PlanMermaid = "mermaid"
	PlanDOT     = "dot"
)

// ErrPlanned is returned by Run and Start when they have written the plan. It is an error so that the program ends.
var ErrPlanned = errors.New("the plan was written and the application was not run, because " + PlanVariable + " is set")

// showPlan writes the plan if the environment requests it, and then returns ErrPlanned. Otherwise it returns nil.
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
		return fmt.Errorf("runner: write the plan: %w", err)
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
