package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/rio-streams/rio/internal/similar"
)

func newRoot() *cobra.Command {
	to := &connection{}
	root := family("rio", "Kafka Streams for Go: topics, records, groups and plans, on any Kafka cluster")
	root.SilenceErrors = true
	root.SilenceUsage = true
	root.SetFlagErrorFunc(similarFlag)
	root.CompletionOptions.HiddenDefaultCmd = true
	to.flags(root.PersistentFlags())
	root.AddCommand(
		newBroker(),
		newTopics(to),
		newProduce(to),
		newConsume(to),
		newHistory(to),
		newDiff(to),
		newGroups(to),
		newPlan(),
		newReset(),
		newRebuild(),
		newVersion(),
	)
	return root
}

// similarFlag adds flags with similar names to the error of an unknown flag.
func similarFlag(cmd *cobra.Command, err error) error {
	unknown, ok := strings.CutPrefix(err.Error(), "unknown flag: --")
	if !ok {
		return err
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	near := similar.Names(unknown, names)
	for i := range near {
		near[i] = "--" + near[i]
	}
	if len(near) == 0 {
		return err
	}
	return fmt.Errorf("%w; did you mean %s?", err, strings.Join(near, " or "))
}

// family returns a command that only groups others.
func family(use, short string) *cobra.Command {
	return &cobra.Command{
		Use:   use,
		Short: short,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			text := fmt.Sprintf("there is no command %q", cmd.CommandPath()+" "+args[0])
			cmd.SuggestionsMinimumDistance = 2
			if like := cmd.SuggestionsFor(args[0]); len(like) > 0 {
				text += "; did you mean " + strings.Join(like, " or ") + "?"
			}
			return fmt.Errorf("%s", text)
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
}

// doubleDashes allows long flags with one dash, as in other Go programs: -listen becomes --listen, if any command has
// such a flag. Arguments after -- are unchanged.
func doubleDashes(root *cobra.Command, args []string) []string {
	known := longFlags(root)
	doubled := make([]string, len(args))
	for i, arg := range args {
		if arg == "--" {
			copy(doubled[i:], args[i:])
			break
		}
		doubled[i] = arg
		name, _, _ := strings.Cut(strings.TrimPrefix(arg, "-"), "=")
		if strings.HasPrefix(arg, "-") && len(name) > 1 && known[name] {
			doubled[i] = "-" + arg
		}
	}
	return doubled
}

// longFlags returns the names of all flags of cmd and of the commands below it.
func longFlags(cmd *cobra.Command) map[string]bool {
	known := map[string]bool{}
	note := func(f *pflag.Flag) { known[f.Name] = true }
	cmd.InitDefaultHelpFlag()
	cmd.Flags().VisitAll(note)
	cmd.PersistentFlags().VisitAll(note)
	for _, below := range cmd.Commands() {
		for name := range longFlags(below) {
			known[name] = true
		}
	}
	return known
}
