package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/rio-streams/rio/runner"
)

func newPlan() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "plan PACKAGE [-- ARGUMENTS]",
		Short: "Show the plan of a program's topology",
		Long: `Show the plan of a program's topology: its steps, stores and topics.

PACKAGE is a main package, as go run takes it. It is run with ` + runner.PlanVariable + ` set, which makes runner.Run show the plan and
return an error instead of running the topology. What the program does before it calls runner.Run, it does.`,
		Example: "  rio plan ./examples/vendas\n  rio plan ./examples/vendas --format mermaid > plan.mmd",
		Args:    cobra.MinimumNArgs(1),
	}
	format := choose(cmd.Flags(), "format", "how to print", runner.PlanText, runner.PlanMermaid, runner.PlanDOT)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		plan, err := planOf(cmd.Context(), args, format.value)
		if err != nil {
			return err
		}
		_, err = cmd.OutOrStdout().Write(plan)
		return err
	}
	return cmd
}

// planOf runs a package until it shows its plan. That it then ends with an error is as it should be, and what it prints
// is of no interest, unless there is no plan.
func planOf(ctx context.Context, args []string, format string) ([]byte, error) {
	dir, err := os.MkdirTemp("", "rio-plan-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "plan")

	program := exec.CommandContext(ctx, "go", append([]string{"run"}, args...)...)
	program.Env = append(os.Environ(), runner.PlanVariable+"="+format, runner.PlanFileVariable+"="+file)
	var said bytes.Buffer
	program.Stderr = &said
	failure := program.Run()

	plan, err := os.ReadFile(file)
	switch {
	case err == nil:
		return plan, nil
	case errors.Is(failure, exec.ErrNotFound):
		return nil, errors.New("the go command is needed to run the program, and was not found: install Go, or put it into PATH")
	case failure != nil:
		return nil, fmt.Errorf("go run %s: %w: %s", args[0], failure, bytes.TrimSpace(said.Bytes()))
	}
	return nil, fmt.Errorf("%s ended without calling runner.Run, so it has no plan to show", args[0])
}
