package main

import (
	"github.com/spf13/cobra"

	"github.com/rio-streams/rio/runner"
)

const maintained = `

PACKAGE is the application's main package, as for go run: only the program knows its topology, its cluster and its state
directory. The command runs the program with an environment variable that makes runner.Run and runner.Start do this instead
of running the topology. Code before that call runs as usual. Arguments after -- are passed to the program.

The application must not be running on any machine.`

func newReset() *cobra.Command {
	var place string
	cmd := &cobra.Command{
		Use:   "reset PACKAGE [--to PLACE] [-- ARGUMENTS]",
		Short: "Reset an application, so that it processes its topics again",
		Long: `Reset an application: delete its internal topics and its local state, and set its committed offsets to a position. Results
that it has written to other topics are kept.

PLACE is earliest, latest, or a time such as 2026-01-01T08:50:00Z: the first record at or after it.` + maintained + `

To set the offsets of a plain consumer group, use rio groups reset.`,
		Example: "  rio reset ./examples/vendas --to 2026-01-01T00:00:00Z",
		Args:    needsPackage,
	}
	cmd.Flags().StringVar(&place, "to", "earliest", "`place` to start at: earliest, latest or a time")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return maintain(cmd, args, runner.ResetVariable, place)
	}
	return cmd
}

func newRebuild() *cobra.Command {
	return &cobra.Command{
		Use:   "rebuild PACKAGE [-- ARGUMENTS]",
		Short: "Rewrite lost changelogs from the state on this machine",
		Long: `Rewrite changelogs that were deleted or have lost records at their end. The rows come from the local state on this machine,
which is then the only copy. Use this command when the application ends with an error that asks for it.` + maintained,
		Example: "  rio rebuild ./examples/vendas",
		Args:    needsPackage,
		RunE: func(cmd *cobra.Command, args []string) error {
			return maintain(cmd, args, runner.RebuildVariable, "changelogs")
		},
	}
}

func needsPackage(_ *cobra.Command, args []string) error {
	if len(args) == 0 {
		return usagef("which PACKAGE? Only the program knows its topology: give its main package, as for go run")
	}
	return nil
}

// maintain has a program reset or rebuild its application, and prints the result.
func maintain(cmd *cobra.Command, args []string, variable, value string) error {
	done, err := askProgram(cmd.Context(), args, variable, value, runner.DoneFileVariable)
	if err != nil {
		return err
	}
	_, err = cmd.OutOrStdout().Write(done)
	return err
}
