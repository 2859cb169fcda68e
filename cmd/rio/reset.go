package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/rio-streams/rio/kafka"
)

func newGroupsReset(to *connection) *cobra.Command {
	var topic, where string
	cmd := &cobra.Command{
		Use:   "reset GROUP --topic TOPIC --to PLACE",
		Short: "Set the committed offsets of a group without members",
		Long: `Set the committed offsets of a group in all partitions of a topic. The group must have no members.

PLACE is earliest, latest, an offset, or a time such as 2026-01-01T08:50:00Z: the first record at or after it. If an
offset is out of range, the nearest existing offset is used.

This does not change the stores of a Rio application. To process its topics again from the beginning, use rio reset.`,
		Example: "  rio groups reset word-count --topic lines --to earliest",
		Args:    exactlyOne("GROUP"),
	}
	cmd.Flags().StringVar(&topic, "topic", "", "`name` of the topic")
	cmd.Flags().StringVar(&where, "to", "", "`place` to set: earliest, latest, an offset or a time")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if topic == "" || where == "" {
			return usagef("--topic and --to are required")
		}
		place, err := parsePlace(where)
		if err != nil {
			return err
		}
		return to.with(cmd.Context(), func(client *kafka.Client) error {
			return reset(cmd.Context(), client, args[0], topic, place, cmd.OutOrStdout())
		})
	}
	return cmd
}

// A place is an offset, or a position to be looked up.
type place struct {
	at     kafka.At
	offset int64 // -1 to look up at
}

func parsePlace(text string) (place, error) {
	if offset, err := strconv.ParseInt(text, 10, 64); err == nil && offset >= 0 {
		return place{offset: offset}, nil
	}
	if at, err := kafka.ParseAt(text); err == nil {
		return place{at, -1}, nil
	}
	return place{}, usagef("--to %s: want earliest, latest, an offset, or a time such as 2026-01-01T08:50:00Z", text)
}

// offsets returns the offset of the place in each partition.
func (p place) offsets(ctx context.Context, client *kafka.Client, tps []kafka.TopicPartition) (map[kafka.TopicPartition]int64, error) {
	if p.offset < 0 {
		return client.Offsets(ctx, tps, p.at)
	}
	begins, err := client.Offsets(ctx, tps, kafka.Earliest)
	if err != nil {
		return nil, err
	}
	ends, err := client.Offsets(ctx, tps, kafka.Latest)
	if err != nil {
		return nil, err
	}
	offsets := make(map[kafka.TopicPartition]int64)
	for _, tp := range tps {
		offsets[tp] = min(max(p.offset, begins[tp]), ends[tp])
	}
	return offsets, nil
}

func reset(ctx context.Context, client *kafka.Client, group, topic string, to place, out io.Writer) error {
	found, err := findTopic(ctx, client, topic)
	if err != nil {
		return err
	}
	tps := partitionsOf(found)
	before, err := client.CommittedOffsets(ctx, group, tps)
	if err != nil {
		return err
	}
	offsets, err := to.offsets(ctx, client, tps)
	if err != nil {
		return err
	}
	after := make(map[kafka.TopicPartition]kafka.CommittedOffset)
	for tp, offset := range offsets {
		after[tp] = kafka.CommittedOffset{Offset: offset}
	}
	err = client.CommitOffsets(ctx, kafka.GroupRef{Group: group}, after)
	if errors.Is(err, kafka.ErrUnknownMember) {
		return fmt.Errorf("group %s has members, which would keep their positions; stop them first, rio groups describe %s shows them", group, group)
	}
	if err != nil {
		return err
	}
	rows := [][]string{{"TOPIC", "PARTITION", "BEFORE", "AFTER"}}
	for _, tp := range tps {
		was := int64(-1)
		if c, ok := before[tp]; ok {
			was = c.Offset
		}
		rows = append(rows, []string{tp.Topic, fmt.Sprint(tp.Partition), offsetOrNone(was), fmt.Sprint(offsets[tp])})
	}
	return table(out, rows)
}
