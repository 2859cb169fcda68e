package main

import (
	"github.com/spf13/cobra"

	"github.com/rio-streams/rio/runner"
)

const maintained = `

PACKAGE is a main package, as go run takes it, because only the program knows its topology, its cluster and where its state is. It is
run with an environment variable that makes runner.Run and runner.Start do this instead of running the topology. What the
program does before it calls them, it does. The application must not be running, on any machine.`

func newReset() *cobra.Command {
	var place string
	cmd := &cobra.Command{
		Use:   "reset PACKAGE [--to PLACE] [-- ARGUMENTS]",
		Short: "Reset an application, so that it processes its topics again",
		Long: `Make an application forget: delete its internal topics and its state, and set its offsets in the topics that it reads to a
place: earliest, latest, or a time such as 2026-01-01T08:50:00Z. What it has written to other topics stays.` + maintained + `

To move the offsets of a plain consumer group, use rio groups reset.`,
		Example: "  rio reset ./examples/vendas\n  rio reset ./examples/vendas --to 2026-01-01T00:00:00Z",
		Args:    needsPackage,
	}
	cmd.Flags().StringVar(&place, "to", "earliest", "the `place` to begin at")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return maintain(cmd, args, runner.ResetVariable, place)
	}
	return cmd
}

func newRebuild() *cobra.Command {
	return &cobra.Command{
		Use:   "rebuild PACKAGE [-- ARGUMENTS]",
		Short: "Write lost changelogs again, from the state on this machine",
		Long: `Write changelogs that were deleted, or have lost their end, again from the state of this machine, which is then the only copy
of it. The error of an application whose state and changelogs do not agree says when to do this.` + maintained,
		Args: needsPackage,
		RunE: func(cmd *cobra.Command, args []string) error {
			return maintain(cmd, args, runner.RebuildVariable, "changelogs")
		},
	}
}

func needsPackage(_ *cobra.Command, args []string) error {
	if len(args) == 0 {
		return usagef("which PACKAGE? Only a program knows its topology: give its main package, as for go run")
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
