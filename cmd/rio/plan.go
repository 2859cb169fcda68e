package main

import (
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
		Args:    needsPackage,
	}
	format := choose(cmd.Flags(), "format", "output format", runner.PlanText, runner.PlanMermaid, runner.PlanDOT)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		plan, err := askProgram(cmd.Context(), args, runner.PlanVariable, format.value, runner.PlanFileVariable)
		if err != nil {
			return err
		}
		_, err = cmd.OutOrStdout().Write(plan)
		return err
	}
	return cmd
}
