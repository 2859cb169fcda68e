package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"

	"github.com/spf13/cobra"

	"github.com/rio-streams/rio/runner"
)

func newPlan() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "plan PACKAGE [-- ARGUMENTS]",
		Short: "Print the plan of a program's topology, without running it",
		Long: `Print the plan of a program's topology, without running it.

PACKAGE is a main package that calls runner.Run, as go run takes it. The program is started with ` + runner.PlanVariable + ` set, which makes
runner.Run print the plan and return at once: no broker is started and none is asked.`,
		Example: "  rio plan ./examples/vendas\n  rio plan ./examples/vendas --format mermaid > plan.md",
		Args:    cobra.MinimumNArgs(1),
	}
	format := choose(cmd.Flags(), "format", "how to print", runner.PlanText, runner.PlanMermaid, runner.PlanDOT)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return goRun(cmd.Context(), cmd, args, runner.PlanVariable+"="+format.value)
	}
	return cmd
}

// goRun runs a package with one more environment variable.
func goRun(ctx context.Context, cmd *cobra.Command, args []string, variable string) error {
	program := exec.CommandContext(ctx, "go", append([]string{"run"}, args...)...)
	program.Env = append(os.Environ(), variable)
	program.Stdin, program.Stdout, program.Stderr = cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr()
	err := program.Run()
	if errors.Is(err, exec.ErrNotFound) {
		return errors.New("the go command is needed to run the program, and was not found: install Go, or put it into PATH")
	}
	if err != nil {
		return fmt.Errorf("go run %s: %w; its messages are above", args[0], err)
	}
	return nil
}
