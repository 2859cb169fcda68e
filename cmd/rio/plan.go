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

PACKAGE is the application's main package, as for go run. The command runs the program with the environment variable
` + runner.PlanVariable + `, which makes runner.Run and runner.Start write the plan instead of running the topology. Code before that
call runs as usual. Arguments after -- are passed to the program.`,
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
