package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/rio-streams/rio/kafka"
)

func newTopics(to *connection) *cobra.Command {
	cmd := family("topics", "List, create, describe and delete topics")
	cmd.AddCommand(newTopicsList(to), newTopicsCreate(to), newTopicsDescribe(to), newTopicsDelete(to))
	return cmd
}

func newTopicsList(to *connection) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List topics with their partitions and replicas",
		Example: "  rio topics list --all",
		Args:    cobra.NoArgs,
	}
	all := cmd.Flags().Bool("all", false, "include the cluster's own topics, such as __consumer_offsets")
	format := choose(cmd.Flags(), "format", "output format", "text", "json")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return to.with(cmd.Context(), func(client *kafka.Client) error {
			topics, err := client.Topics(cmd.Context())
			if err != nil {
				return err
			}
			if !*all {
				topics = slices.DeleteFunc(topics, func(t kafka.Topic) bool { return t.Internal })
			}
			return printTopics(cmd.OutOrStdout(), topics, format.value)
		})
	}
	return cmd
}

func printTopics(out io.Writer, topics []kafka.Topic, format string) error {
	rows := [][]string{{"TOPIC", "PARTITIONS", "REPLICAS"}}
	for _, t := range topics {
		replicas := 0
		if len(t.Partitions) > 0 {
			replicas = len(t.Partitions[0].Replicas)
		}
		if format == "json" {
			if err := printJSON(out, topicLine{t.Name, len(t.Partitions), replicas}); err != nil {
				return err
			}
		}
		rows = append(rows, []string{t.Name, strconv.Itoa(len(t.Partitions)), strconv.Itoa(replicas)})
	}
	if format == "json" {
		return nil
	}
	return table(out, rows)
}

type topicLine struct {
	Topic      string `json:"topic"`
	Partitions int    `json:"partitions"`
	Replicas   int    `json:"replicas"`
}

func newTopicsCreate(to *connection) *cobra.Command {
	var spec kafka.TopicSpec
	cmd := &cobra.Command{
		Use:     "create TOPIC...",
		Short:   "Create topics",
		Example: "  rio topics create vendas --partitions 4 --config cleanup.policy=compact",
		Args:    atLeastOne("TOPIC"),
	}
	flags := cmd.Flags()
	flags.Int32Var(&spec.Partitions, "partitions", 0, "`number` of partitions (default: the broker's default)")
	flags.Int16Var(&spec.Replicas, "replication-factor", 0, "`number` of replicas (default: the broker's default)")
	flags.StringToStringVar(&spec.Config, "config", nil, "topic setting, `name=value`; may be repeated")
	cmd.RunE = func(cmd *cobra.Command, names []string) error {
		if spec.Partitions < 0 || spec.Replicas < 0 {
			return usagef("--partitions and --replication-factor must be positive")
		}
		return to.with(cmd.Context(), func(client *kafka.Client) error {
			return eachTopic(cmd.OutOrStdout(), names, "created", func(name string) error {
				spec.Name = name
				err := client.CreateTopics(cmd.Context(), spec)
				if errors.Is(err, kafka.ErrTopicExists) {
					err = fmt.Errorf("topic %s exists already; rio topics describe %s shows it", name, name)
				}
				return err
			})
		})
	}
	return cmd
}

func newTopicsDelete(to *connection) *cobra.Command {
	return &cobra.Command{
		Use:     "delete TOPIC...",
		Short:   "Delete topics with all their records",
		Example: "  rio topics delete vendas",
		Args:    atLeastOne("TOPIC"),
		RunE: func(cmd *cobra.Command, names []string) error {
			return to.with(cmd.Context(), func(client *kafka.Client) error {
				return eachTopic(cmd.OutOrStdout(), names, "deleted", func(name string) error {
					err := client.DeleteTopics(cmd.Context(), name)
					if errors.Is(err, kafka.ErrUnknownTopic) {
						err = fmt.Errorf("there is no topic %s; rio topics list shows the existing topics", name)
					}
					return err
				})
			})
		},
	}
}

// eachTopic calls do for every topic, even after a failure, and prints each success.
func eachTopic(out io.Writer, names []string, done string, do func(name string) error) error {
	var errs []error
	for _, name := range names {
		if err := do(name); err != nil {
			errs = append(errs, err)
			continue
		}
		fmt.Fprintf(out, "topic %s %s\n", name, done)
	}
	return errors.Join(errs...)
}

func newTopicsDescribe(to *connection) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "describe TOPIC...",
		Short:   "Show partitions, leaders, offsets, and the topic's own settings",
		Example: "  rio topics describe vendas --format json",
		Args:    atLeastOne("TOPIC"),
	}
	format := choose(cmd.Flags(), "format", "output format", "text", "json")
	cmd.RunE = func(cmd *cobra.Command, names []string) error {
		return to.with(cmd.Context(), func(client *kafka.Client) error {
			for i, name := range names {
				d, err := describeTopic(cmd.Context(), client, name)
				if err != nil {
					return err
				}
				if i > 0 && format.value == "text" {
					fmt.Fprintln(cmd.OutOrStdout())
				}
				if err := d.print(cmd.OutOrStdout(), format.value); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return cmd
}

// A topicDescription is the output of describe.
type topicDescription struct {
	Topic      string                 `json:"topic"`
	Partitions []partitionDescription `json:"partitions"`
	Config     map[string]string      `json:"config"` // settings that differ from the cluster's defaults
}

type partitionDescription struct {
	Partition int32   `json:"partition"`
	Leader    int32   `json:"leader"`
	Replicas  []int32 `json:"replicas"`
	InSync    []int32 `json:"inSync"`
	Begin     int64   `json:"begin"` // the first offset that has not been deleted
	End       int64   `json:"end"`   // the offset of the next record
}

func describeTopic(ctx context.Context, client *kafka.Client, name string) (*topicDescription, error) {
	topic, err := findTopic(ctx, client, name)
	if err != nil {
		return nil, err
	}
	tps := partitionsOf(topic)
	begins, err := client.Offsets(ctx, tps, kafka.Earliest)
	if err != nil {
		return nil, err
	}
	ends, err := client.Offsets(ctx, tps, kafka.Latest)
	if err != nil {
		return nil, err
	}
	d := &topicDescription{Topic: name}
	for i, p := range topic.Partitions {
		d.Partitions = append(d.Partitions, partitionDescription{p.Partition, p.Leader, p.Replicas, p.InSync, begins[tps[i]], ends[tps[i]]})
	}
	d.Config, err = client.TopicOverrides(ctx, name)
	return d, err
}

func (d *topicDescription) print(out io.Writer, format string) error {
	if format == "json" {
		return printJSON(out, d)
	}
	fmt.Fprintf(out, "topic %s\n", d.Topic)
	for _, name := range slices.Sorted(maps.Keys(d.Config)) {
		fmt.Fprintf(out, "config %s=%s\n", name, d.Config[name])
	}
	rows := [][]string{{"PARTITION", "LEADER", "REPLICAS", "IN-SYNC", "BEGIN", "END"}}
	for _, p := range d.Partitions {
		rows = append(rows, []string{
			fmt.Sprint(p.Partition), fmt.Sprint(p.Leader), numbers(p.Replicas), numbers(p.InSync), fmt.Sprint(p.Begin), fmt.Sprint(p.End),
		})
	}
	return table(out, rows)
}

// atLeastOne requires arguments of a kind.
func atLeastOne(what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) == 0 {
			return fmt.Errorf("which %s?", what)
		}
		return nil
	}
}

// exactlyOne requires exactly one argument of a kind.
func exactlyOne(what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) == 0 {
			return fmt.Errorf("which %s?", what)
		}
		if len(args) > 1 {
			return fmt.Errorf("one %s at a time, not %q", what, args)
		}
		return nil
	}
}
