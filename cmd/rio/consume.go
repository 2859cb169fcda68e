package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/spf13/cobra"

	"github.com/rio-streams/rio/kafka"
)

// consumeConfig selects what to print.
type consumeConfig struct {
	topic         string
	fromBeginning bool
	exitAtEnd     bool
	group         string
	assignors     []kafka.Assignor
	partition     int32 // -1 for all
	offset        int64 // -1 for none
	max           int64 // 0 for no limit

	format    string
	keys      bool
	null      string
	keyType   string
	valueType string
	timeout   time.Duration // for the last commit of a group
}

func newConsume(to *connection) *cobra.Command {
	var cfg consumeConfig
	cmd := &cobra.Command{
		Use:   "consume TOPIC",
		Short: "Print records, one per line",
		Long: `Print the committed records of a topic, one per line: new records, or all records with --from-beginning. Ctrl-C ends the
command without an error.

With --group the command joins a consumer group, starts at the committed offsets, and commits what it has printed. Without
--group it commits nothing.

Keys and values are printed as text. Counts and keys of windows are not text: --value-type int64 prints numbers, and
--key-type windowed prints a key and the start of its window, such as ana@2026-01-01T08:00:00Z.

--format json prints objects that rio produce --format json accepts. Keys and values are strings or null. Those that are not
UTF-8 are in the fields keyBase64 and valueBase64. For values that are JSON: rio consume T --format json | jq '.value|fromjson'`,
		Example: "  rio consume vendas --from-beginning --exit-at-end --format json\n  rio consume vendas --partition 2 --offset 1000 --max 1\n  rio consume vendas-por-hora --from-beginning --keys --key-type windowed",
		Args:    exactlyOne("TOPIC"),
	}
	flags := cmd.Flags()
	flags.BoolVar(&cfg.fromBeginning, "from-beginning", false, "start with the oldest record; with --group, only in partitions without a committed offset")
	flags.BoolVar(&cfg.exitAtEnd, "exit-at-end", false, "exit after printing all records that existed at the start")
	flags.StringVar(&cfg.group, "group", "", "`name` of the group to join")
	assignors := flags.String("assignors", "cooperative-sticky,range", "with --group: `names` of the assignors to offer to the group, the preferred one first; the group uses one that all members have")
	flags.Int32Var(&cfg.partition, "partition", -1, "`number` of the only partition to read (default: all)")
	flags.Int64Var(&cfg.offset, "offset", -1, "`offset` of the first record to print; needs --partition")
	flags.Int64Var(&cfg.max, "max", 0, "exit after this `number` of records (default: no limit)")
	flags.BoolVar(&cfg.keys, "keys", false, "print the key and a tab before the value")
	flags.StringVar(&cfg.null, "null", "null", "`text` to print for null (a missing key or a tombstone)")
	format := choose(flags, "format", "output format", "text", "json")
	keyType := choose(flags, "key-type", "type of the keys", viewTypes...)
	valueType := choose(flags, "value-type", "type of the values", viewTypes...)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		cfg.topic, cfg.format, cfg.keyType, cfg.valueType = args[0], format.value, keyType.value, valueType.value
		cfg.timeout = to.timeout
		var err error
		if cfg.assignors, err = kafka.ParseAssignors(*assignors); err != nil {
			return usagef("--assignors: %w", err)
		}
		if err := cfg.validate(); err != nil {
			return err
		}
		return to.with(cmd.Context(), func(client *kafka.Client) error {
			return consume(cmd.Context(), client, cfg, cmd.OutOrStdout(), cmd.ErrOrStderr())
		})
	}
	return cmd
}

func (cfg consumeConfig) validate() error {
	var errs []error
	if cfg.group != "" && (cfg.partition >= 0 || cfg.offset >= 0) {
		errs = append(errs, usagef("with --group the group decides what to read: leave out --partition and --offset, or use rio groups reset"))
	}
	if cfg.offset >= 0 && cfg.partition < 0 {
		errs = append(errs, usagef("--offset needs --partition: each partition has its own offsets"))
	}
	if cfg.offset >= 0 && cfg.fromBeginning {
		errs = append(errs, usagef("--offset and --from-beginning exclude each other"))
	}
	if cfg.max < 0 {
		errs = append(errs, usagef("--max is %d: want a positive number", cfg.max))
	}
	return errors.Join(errs...)
}

// consume prints records until ctx ends, or the end is reached.
func consume(ctx context.Context, client *kafka.Client, cfg consumeConfig, out, errs io.Writer) error {
	topic, err := findTopic(ctx, client, cfg.topic)
	if err != nil {
		return err
	}
	tps := partitionsOf(topic)
	if cfg.partition >= 0 {
		if int(cfg.partition) >= len(tps) {
			return fmt.Errorf("there is no partition %d: topic %s has %d, numbered from 0", cfg.partition, cfg.topic, len(tps))
		}
		tps = tps[cfg.partition : cfg.partition+1]
	}
	c := &consumer{
		client: client, cfg: cfg, printer: newPrinter(out, cfg, func(text string) { fmt.Fprintln(errs, "rio:", text) }), fetcher: client.NewFetcher(kafka.FetcherConfig{}),
		positions: make(map[kafka.TopicPartition]int64),
	}
	defer c.fetcher.Close()
	if cfg.exitAtEnd {
		if c.ends, err = client.Offsets(ctx, tps, kafka.LatestStable); err != nil {
			return err
		}
	}
	if cfg.group != "" {
		return c.asMember(ctx)
	}
	return c.alone(ctx, tps)
}

// consumer reads and prints records, and tracks its positions. One goroutine owns it.
type consumer struct {
	client    *kafka.Client
	cfg       consumeConfig
	printer   *printer
	fetcher   *kafka.Fetcher
	positions map[kafka.TopicPartition]int64 // next offsets to print, of the partitions being read
	ends      map[kafka.TopicPartition]int64 // with exitAtEnd: the ends of the partitions at the start
	printed   int64
}

// alone reads partitions without a group.
func (c *consumer) alone(ctx context.Context, tps []kafka.TopicPartition) error {
	if c.cfg.offset >= 0 {
		c.read(tps[0], c.cfg.offset)
	} else {
		begins, err := c.client.Offsets(ctx, tps, c.beginning())
		if err != nil {
			return err
		}
		for tp, offset := range begins {
			c.read(tp, offset)
		}
	}
	for !c.full() && !c.atEnd() {
		err := c.poll(ctx)
		if ctx.Err() != nil {
			return nil // Ctrl-C
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// beginning returns where to start reading by default.
func (c *consumer) beginning() kafka.At {
	if c.cfg.fromBeginning {
		return kafka.Earliest
	}
	return kafka.Latest
}

func (c *consumer) read(tp kafka.TopicPartition, offset int64) {
	c.positions[tp] = offset
	c.fetcher.Add(tp, offset)
}

func (c *consumer) stopReading(tp kafka.TopicPartition) {
	c.fetcher.Remove(tp)
	delete(c.positions, tp)
}

// full reports whether --max records have been printed.
func (c *consumer) full() bool { return c.cfg.max > 0 && c.printed >= c.cfg.max }

// atEnd reports whether all records that existed at the start have been printed.
func (c *consumer) atEnd() bool {
	for tp, end := range c.ends {
		if c.positions[tp] < end {
			return false
		}
	}
	return c.ends != nil
}

// pollTime bounds how long one poll waits for records; between polls a member checks its group.
const pollTime = 100 * time.Millisecond

// poll waits for records and prints them.
func (c *consumer) poll(ctx context.Context) error {
	waiting, cancel := context.WithTimeout(ctx, pollTime)
	defer cancel()
	fetched, err := c.fetcher.Poll(waiting)
	if waiting.Err() != nil && len(fetched) == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	for i := range fetched {
		if err := c.printRecords(ctx, &fetched[i]); err != nil {
			return errors.Join(err, c.printer.flush())
		}
	}
	return c.printer.flush()
}

// printRecords prints records of one partition, up to the limits.
func (c *consumer) printRecords(ctx context.Context, f *kafka.Fetched) error {
	tp := kafka.TopicPartition{Topic: f.Topic, Partition: f.Partition}
	if f.Err != nil {
		return c.handleError(ctx, tp, f.Err)
	}
	end := int64(math.MaxInt64)
	if c.ends != nil {
		end = c.ends[tp]
	}
	for i := range f.Records {
		r := &f.Records[i]
		if c.full() {
			return nil
		}
		if r.Offset >= end {
			break
		}
		if err := c.printer.print(tp, r); err != nil {
			return err
		}
		c.positions[tp] = r.Offset + 1
		c.printed++
	}
	c.positions[tp] = min(f.Next, end)
	if f.Next >= end {
		c.fetcher.Remove(tp) // later records are not wanted
	}
	return nil
}

// handleError continues at the start of the log if a member's committed offset was deleted; it returns any other error.
func (c *consumer) handleError(ctx context.Context, tp kafka.TopicPartition, err error) error {
	if !errors.Is(err, kafka.ErrOffsetOutOfRange) {
		return err
	}
	if c.cfg.group == "" {
		return fmt.Errorf("%w; rio topics describe %s shows the available offsets", err, tp.Topic)
	}
	begins, err := c.client.Offsets(ctx, []kafka.TopicPartition{tp}, c.beginning())
	if err != nil {
		return err
	}
	c.read(tp, begins[tp])
	return nil
}
