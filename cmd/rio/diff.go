package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/rio-streams/rio/kafka"
)

// diffConfig says how to compare two topics.
type diffConfig struct {
	old, new           string
	keyType, valueType string
	all                bool
	ignore             []string
	tolerance          float64
	max                int
}

func newDiff(to *connection) *cobra.Command {
	var cfg diffConfig
	cmd := &cobra.Command{
		Use:   "diff TOPIC OTHER",
		Short: "Compare the results in two topics",
		Long: `Compare two topics by key: the latest value of each key, or with --all all values of each key in their order. The numbers of
partitions may differ. Use it to compare the results of a replay, or of a changed program, with the existing results.

Values in JSON are compared by field, and the fields that differ are printed. If the topics differ, the exit code is 1.`,
		Example: "  rio diff velocidade-media replay-velocidade-media --key-type windowed\n  rio diff atrasos replay-atrasos --all --ignore seq --tolerance 0.001",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 2 {
				return usagef("%s takes the names of two topics, not %d arguments", cmd.CommandPath(), len(args))
			}
			return nil
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&cfg.all, "all", false, "compare all values of a key, not only the latest")
	flags.StringSliceVar(&cfg.ignore, "ignore", nil, "`fields` of the values to ignore, separated by commas")
	flags.Float64Var(&cfg.tolerance, "tolerance", 0, "`number` by which equal numbers may differ")
	flags.IntVar(&cfg.max, "max", 20, "print at most this `number` of differences; 0 prints all")
	keyType := choose(flags, "key-type", "type of the keys", viewTypes...)
	valueType := choose(flags, "value-type", "type of the values", viewTypes...)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		cfg.old, cfg.new = args[0], args[1]
		cfg.keyType, cfg.valueType = keyType.value, valueType.value
		if !(cfg.tolerance >= 0) || cfg.max < 0 {
			return usagef("--tolerance and --max must not be negative")
		}
		return to.with(cmd.Context(), func(client *kafka.Client) error {
			return diff(cmd.Context(), client, cfg, cmd.OutOrStdout())
		})
	}
	return cmd
}

// contents maps each key of a topic to its values, as text.
type contents map[string][]string

// diff prints the differences of two topics. It returns an error if there are any.
func diff(ctx context.Context, client *kafka.Client, cfg diffConfig, out io.Writer) error {
	before, err := readContents(ctx, client, cfg, cfg.old)
	if err != nil {
		return err
	}
	after, err := readContents(ctx, client, cfg, cfg.new)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(out)
	var same, onlyOld, onlyNew, changed int
	all := maps.Clone(before)
	maps.Copy(all, after)
	for _, key := range slices.Sorted(maps.Keys(all)) {
		lines := cfg.compare(before[key], after[key])
		if len(lines) == 0 {
			same++
			continue
		}
		switch {
		case after[key] == nil:
			onlyOld++
		case before[key] == nil:
			onlyNew++
		default:
			changed++
		}
		if n := onlyOld + onlyNew + changed; cfg.max > 0 && n > cfg.max {
			continue
		}
		for _, line := range lines {
			fmt.Fprintf(w, "%s: %s\n", key, line)
		}
	}
	if more := onlyOld + onlyNew + changed - cfg.max; cfg.max > 0 && more > 0 {
		fmt.Fprintf(w, "and %d keys more; --max 0 prints all\n", more)
	}
	fmt.Fprintf(w, "%d keys are equal, %d differ, %d only in %s, %d only in %s\n", same, changed, onlyOld, cfg.old, onlyNew, cfg.new)
	if err := w.Flush(); err != nil {
		return err
	}
	if changed+onlyOld+onlyNew > 0 {
		return fmt.Errorf("topics %s and %s differ", cfg.old, cfg.new)
	}
	return nil
}

// readContents reads the committed records of a topic. A tombstone deletes its key, unless all values are compared.
func readContents(ctx context.Context, client *kafka.Client, cfg diffConfig, name string) (contents, error) {
	starts, ends, err := span(ctx, client, name, kafka.Earliest)
	if err != nil {
		return nil, err
	}
	found := contents{}
	return found, readSpan(ctx, client, starts, ends, func(tp kafka.TopicPartition, r kafka.Record) error {
		key, err := views[cfg.keyType](r.Key)
		if err != nil {
			return fmt.Errorf("%v at %d: key: %w; see --key-type", tp, r.Offset, err)
		}
		value, err := views[cfg.valueType](r.Value)
		if err != nil {
			return fmt.Errorf("%v at %d: value: %w; see --value-type", tp, r.Offset, err)
		}
		name := shownKey(key)
		switch {
		case cfg.all:
			found[name] = append(found[name], shownValue(value))
		case r.Value == nil:
			delete(found, name)
		default:
			found[name] = []string{string(value)}
		}
		return nil
	})
}

// shownKey returns a key as text: "null" for a null key, and a quoted string if it is not printable.
func shownKey(key []byte) string { return shownText(shownValue(key)) }

func shownValue(value []byte) string {
	if value == nil {
		return "null"
	}
	return string(value)
}

// shownText quotes text that would break the line, move the cursor or change the text direction.
func shownText(text string) string {
	hidden := func(r rune) bool { return !unicode.IsGraphic(r) }
	if !utf8.ValidString(text) || strings.ContainsFunc(text, hidden) {
		return strconv.QuoteToGraphic(text)
	}
	return text
}

// compare returns a line for each difference between the values of a key; none if they are equal.
func (cfg diffConfig) compare(before, after []string) (lines []string) {
	for i := range max(len(before), len(after)) {
		number := ""
		if cfg.all {
			number = fmt.Sprintf("value %d: ", i+1)
		}
		switch {
		case i >= len(before):
			lines = append(lines, fmt.Sprintf("%sonly in %s: %s", number, cfg.new, shown(after[i])))
		case i >= len(after):
			lines = append(lines, fmt.Sprintf("%sonly in %s: %s", number, cfg.old, shown(before[i])))
		case before[i] != after[i]:
			if difference := cfg.difference(before[i], after[i]); difference != "" {
				lines = append(lines, number+difference)
			}
		}
	}
	return lines
}

// shown returns a value shortened to fit in a line.
func shown(value string) string {
	const longest = 200
	if runes := []rune(value); len(runes) > longest {
		value = string(runes[:longest]) + "…"
	}
	return shownText(value)
}

// difference describes the difference of two values: the fields that differ, if both are JSON objects. It returns "" if
// they are equal.
func (cfg diffConfig) difference(before, after string) string {
	old, oldIsJSON := decodeAny(before)
	new, newIsJSON := decodeAny(after)
	if !oldIsJSON || !newIsJSON {
		return shown(before) + " → " + shown(after)
	}
	oldFields, oldIsObject := old.(map[string]any)
	newFields, newIsObject := new.(map[string]any)
	if !oldIsObject || !newIsObject {
		if cfg.equal(old, new) {
			return ""
		}
		return shown(before) + " → " + shown(after)
	}
	all := maps.Clone(oldFields)
	maps.Copy(all, newFields)
	var fields []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		o, inOld := oldFields[name]
		n, inNew := newFields[name]
		if slices.Contains(cfg.ignore, name) || inOld == inNew && cfg.equal(o, n) {
			continue
		}
		fields = append(fields, fmt.Sprintf("%s %s → %s", shownText(name), shownField(o, inOld), shownField(n, inNew)))
	}
	return strings.Join(fields, ", ")
}

func decodeAny(text string) (value any, isJSON bool) {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	if decoder.Decode(&value) != nil {
		return nil, false
	}
	return value, len(bytes.TrimSpace([]byte(text[decoder.InputOffset():]))) == 0
}

func shownField(value any, present bool) string {
	if !present {
		return "(none)"
	}
	return shown(string(plainJSON(value)))
}

// equal compares JSON values; numbers may differ by the tolerance.
func (cfg diffConfig) equal(a, b any) bool {
	switch a := a.(type) {
	case json.Number:
		b, ok := b.(json.Number)
		if !ok {
			return false
		}
		x, errX := a.Float64()
		y, errY := b.Float64()
		return a == b || errX == nil && errY == nil && (x == y && !isInteger(a, b) || cfg.tolerance > 0 && math.Abs(x-y) <= cfg.tolerance)
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, cfg.equal)
	case map[string]any:
		b, ok := b.(map[string]any)
		return ok && maps.EqualFunc(a, b, cfg.equal)
	}
	return reflect.DeepEqual(a, b)
}

// isInteger reports whether both numbers are written as integers. Integers are compared as text, because a float64
// could hide a difference.
func isInteger(a, b json.Number) bool {
	return !strings.ContainsAny(string(a)+string(b), ".eE")
}
