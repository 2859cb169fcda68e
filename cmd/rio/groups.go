package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rio-streams/rio/kafka"
)

func newGroups(to *connection) *cobra.Command {
	cmd := family("groups", "List, describe, reset and delete consumer groups")
	cmd.AddCommand(newGroupsList(to), newGroupsDescribe(to), newGroupsReset(to), newGroupsDelete(to))
	return cmd
}

func newGroupsList(to *connection) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List groups with their states",
		Example: "  rio groups list --format json",
		Args:    cobra.NoArgs,
	}
	format := choose(cmd.Flags(), "format", "output format", "text", "json")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return to.with(cmd.Context(), func(client *kafka.Client) error {
			groups, err := client.Groups(cmd.Context())
			if err != nil {
				return err
			}
			return printGroups(cmd.OutOrStdout(), groups, format.value)
		})
	}
	return cmd
}

func printGroups(out io.Writer, groups []kafka.GroupListing, format string) error {
	rows := [][]string{{"GROUP", "STATE"}}
	for _, g := range groups {
		if format == "json" {
			if err := printJSON(out, map[string]string{"group": g.Name, "state": g.State}); err != nil {
				return err
			}
		}
		rows = append(rows, []string{g.Name, cmp.Or(g.State, "-")})
	}
	if format == "json" {
		return nil
	}
	return table(out, rows)
}

func newGroupsDescribe(to *connection) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "describe GROUP...",
		Short:   "Show members, committed offsets and lag",
		Example: "  rio groups describe word-count --format json",
		Args:    atLeastOne("GROUP"),
	}
	format := choose(cmd.Flags(), "format", "output format", "text", "json")
	cmd.RunE = func(cmd *cobra.Command, names []string) error {
		return to.with(cmd.Context(), func(client *kafka.Client) error {
			for i, name := range names {
				group, err := client.DescribeGroup(cmd.Context(), name)
				if err != nil {
					return err
				}
				if group.State == "Dead" && len(group.Partitions) == 0 {
					return unknownGroup(name)
				}
				if i > 0 && format.value == "text" {
					fmt.Fprintln(cmd.OutOrStdout())
				}
				if err := printGroup(cmd.OutOrStdout(), group, format.value); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return cmd
}

func unknownGroup(name string) error {
	return fmt.Errorf("there is no group %s; rio groups list shows the existing groups", name)
}

// printGroup prints the members, and a line per partition with its committed offset, end and lag.
func printGroup(out io.Writer, g *kafka.GroupDescription, format string) error {
	if format == "json" {
		return printJSON(out, groupJSON(g))
	}
	fmt.Fprintf(out, "group %s\nstate %s\n", g.Name, cmp.Or(g.State, "-"))
	for _, m := range g.Members {
		fmt.Fprintf(out, "member %s client %s host %s partitions %s\n", m.MemberID, m.ClientID, host(m), listed(m.Partitions))
	}
	rows := [][]string{{"TOPIC", "PARTITION", "COMMITTED", "END", "LAG", "MEMBER"}}
	for _, p := range g.Partitions {
		rows = append(rows, []string{p.Topic, fmt.Sprint(p.Partition), offsetOrNone(p.Committed), fmt.Sprint(p.End), fmt.Sprint(p.Lag), cmp.Or(p.MemberID, "-")})
	}
	return table(out, rows)
}

// host returns the host of a member; Apache Kafka prefixes it with a slash.
func host(m kafka.MemberDescription) string { return strings.TrimPrefix(m.Host, "/") }

func listed(tps []kafka.TopicPartition) string {
	names := make([]string, len(tps))
	for i, tp := range tps {
		names[i] = tp.String()
	}
	return cmp.Or(strings.Join(names, ","), "-")
}

// offsetOrNone returns "-" if no offset has been committed.
func offsetOrNone(offset int64) string {
	if offset < 0 {
		return "-"
	}
	return fmt.Sprint(offset)
}

type (
	groupDescription struct {
		Group      string         `json:"group"`
		State      string         `json:"state"`
		Members    []groupMember  `json:"members"`
		Partitions []partitionLag `json:"partitions"`
	}
	groupMember struct {
		Member     string   `json:"member"`
		Instance   string   `json:"instance,omitempty"`
		Client     string   `json:"client"`
		Host       string   `json:"host"`
		Partitions []string `json:"partitions"`
	}
	partitionLag struct {
		Topic     string `json:"topic"`
		Partition int32  `json:"partition"`
		Committed *int64 `json:"committed"` // null if none is committed
		End       int64  `json:"end"`
		Lag       int64  `json:"lag"`
		Member    string `json:"member,omitempty"`
	}
)

func groupJSON(g *kafka.GroupDescription) groupDescription {
	d := groupDescription{Group: g.Name, State: g.State, Members: []groupMember{}, Partitions: []partitionLag{}}
	for _, m := range g.Members {
		member := groupMember{m.MemberID, m.InstanceID, m.ClientID, host(m), []string{}}
		for _, tp := range m.Partitions {
			member.Partitions = append(member.Partitions, tp.String())
		}
		d.Members = append(d.Members, member)
	}
	for _, p := range g.Partitions {
		l := partitionLag{p.Topic, p.Partition, nil, p.End, p.Lag, p.MemberID}
		if p.Committed >= 0 {
			l.Committed = &p.Committed
		}
		d.Partitions = append(d.Partitions, l)
	}
	return d
}

func newGroupsDelete(to *connection) *cobra.Command {
	return &cobra.Command{
		Use:     "delete GROUP...",
		Short:   "Delete groups with their committed offsets",
		Example: "  rio groups delete word-count",
		Args:    atLeastOne("GROUP"),
		RunE: func(cmd *cobra.Command, names []string) error {
			return to.with(cmd.Context(), func(client *kafka.Client) error {
				var errs []error
				for _, name := range names {
					if err := deleteGroup(cmd.Context(), client, name); err != nil {
						errs = append(errs, err)
						continue
					}
					fmt.Fprintf(cmd.OutOrStdout(), "group %s deleted\n", name)
				}
				return errors.Join(errs...)
			})
		},
	}
}

func deleteGroup(ctx context.Context, client *kafka.Client, name string) error {
	err := client.DeleteGroup(ctx, name)
	switch {
	case errors.Is(err, kafka.ErrUnknownGroup):
		return unknownGroup(name)
	case errors.Is(err, kafka.ErrGroupNotEmpty):
		return fmt.Errorf("group %s has members; stop them first, rio groups describe %s shows them", name, name)
	}
	return err
}
