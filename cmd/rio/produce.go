package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rio-streams/rio/kafka"
)

// produceConfig says how lines are converted to records.
type produceConfig struct {
	format       string
	keySeparator string
	null         string
	partition    int32
	compression  string
	timeout      time.Duration // for retries; the last flush has twice as long
}

func newProduce(to *connection) *cobra.Command {
	var cfg produceConfig
	cmd := &cobra.Command{
		Use:   "produce TOPIC",
		Short: "Write the lines of standard input as records",
		Long: `Write the lines of standard input as records, each exactly once.

A line is a value, or a key, a tab and a value. With --format json, a line is an object such as
  {"key":"ana","value":{"valor":10},"headers":{"origem":"loja"},"timestamp":"2026-01-01T08:50:00Z","partition":0}
in which all fields are optional. A value of null is a tombstone: it deletes the key from a compacted topic.

Records with a key go to the partition that the Java clients choose. Records without a key go to the partitions in turn.`,
		Example: "  printf 'ana\\tprimeira venda\\n' | rio produce vendas\n  rio produce vendas --format json < vendas.jsonl",
		Args:    exactlyOne("TOPIC"),
	}
	flags := cmd.Flags()
	format := choose(flags, "format", "format of a line", "text", "json")
	flags.StringVar(&cfg.keySeparator, "key-separator", `\t`, "`text` between key and value; \"\" if lines have no keys")
	flags.StringVar(&cfg.null, "null", "", "`text` of a value that means null, a tombstone (default: none)")
	flags.Int32Var(&cfg.partition, "partition", -1, "`number` of the default partition (default: by the key)")
	compression := choose(flags, "compression", "compression of batches", "none", "gzip", "snappy", "lz4", "zstd")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		cfg.format, cfg.compression, cfg.timeout = format.value, compression.value, to.timeout
		cfg.keySeparator = strings.ReplaceAll(cfg.keySeparator, `\t`, "\t")
		return to.with(cmd.Context(), func(client *kafka.Client) error {
			return produce(cmd.Context(), client, args[0], cfg, cmd.InOrStdin())
		})
	}
	return cmd
}

// produce writes the lines of in to topic until in or ctx ends.
func produce(ctx context.Context, client *kafka.Client, topic string, cfg produceConfig, in io.Reader) error {
	found, err := findTopic(ctx, client, topic)
	if err != nil {
		return err
	}
	producer, err := client.NewProducer(ctx, kafka.ProducerConfig{Compression: cfg.compression})
	if err != nil {
		return err
	}
	defer producer.Close()
	p := &lineProducer{Producer: producer, cfg: cfg, topic: topic, partitions: int32(len(found.Partitions))}
	lines, failed := readLines(ctx, in)
	return p.run(ctx, lines, failed)
}

// readLines reads in from a separate goroutine, so that the writer can send earlier lines while it waits for the next.
// Lines may have any length.
func readLines(ctx context.Context, in io.Reader) (<-chan []byte, <-chan error) {
	lines := make(chan []byte, 1000)
	failed := make(chan error, 1)
	go func() {
		defer close(lines)
		reader := bufio.NewReaderSize(in, 1<<16)
		for {
			line, err := reader.ReadBytes('\n')
			if len(line) > 0 {
				select {
				case lines <- line:
				case <-ctx.Done():
					return
				}
			}
			if err != nil {
				if !errors.Is(err, io.EOF) {
					failed <- fmt.Errorf("read standard input: %w", err)
				}
				return
			}
		}
	}()
	return lines, failed
}

// lineProducer converts lines to records. One goroutine owns it.
type lineProducer struct {
	*kafka.Producer
	cfg         produceConfig
	topic       string
	partitions  int32
	nextKeyless int32 // next partition for a record without a key
	line        int   // the number of the last line
	flushed     int   // the last line known to be written
}

// linger bounds how long a line may wait for others before it is sent.
const linger = 20 * time.Millisecond

func (p *lineProducer) run(ctx context.Context, lines <-chan []byte, failed <-chan error) error {
	var due <-chan time.Time // set while records wait to be sent
	for {
		select {
		case <-ctx.Done():
			return p.flush()
		case <-due:
			due = nil
			if err := p.flush(); err != nil {
				return err
			}
		case line, ok := <-lines:
			if !ok {
				select {
				case err := <-failed:
					return errors.Join(err, p.flush())
				default:
					return p.flush()
				}
			}
			if err := p.write(line); err != nil {
				return errors.Join(err, p.flush())
			}
			if due == nil {
				due = time.After(linger)
			}
		}
	}
}

// flush waits until all records are written, even if the command has been told to stop.
func (p *lineProducer) flush() error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*p.cfg.timeout)
	defer cancel()
	if err := p.Flush(ctx); err != nil {
		return fmt.Errorf("%s: %w", p.unsure(), err)
	}
	p.flushed = p.line
	return nil
}

// unsure names the lines that may not have been written.
func (p *lineProducer) unsure() string {
	if p.line == p.flushed+1 {
		return fmt.Sprintf("line %d may not have been written", p.line)
	}
	return fmt.Sprintf("lines %d to %d may not have been written", p.flushed+1, p.line)
}

// write sends one line.
func (p *lineProducer) write(line []byte) error {
	line = bytes.TrimSuffix(line, []byte("\n"))
	line = bytes.TrimSuffix(line, []byte("\r"))
	p.line++
	if p.cfg.format == "json" && len(bytes.TrimSpace(line)) == 0 {
		return nil
	}
	record, partition, err := p.parse(line)
	if err == nil {
		err = p.Send(p.topic, partition, record)
	}
	if err != nil {
		p.line-- // this line was not sent
		return fmt.Errorf("line %d: %w; the lines before it have been written", p.line+1, err)
	}
	return nil
}

func (p *lineProducer) parse(line []byte) (kafka.Record, int32, error) {
	now := time.Now().UnixMilli()
	if p.cfg.format == "text" {
		record := p.parseText(line, now)
		partition, err := p.place(record.Key, nil)
		return record, partition, err
	}
	record, wanted, err := decodeRecord(line, now)
	if err != nil {
		return record, 0, err
	}
	partition, err := p.place(record.Key, wanted)
	return record, partition, err
}

// parseText splits a line into key and value.
func (p *lineProducer) parseText(line []byte, now int64) kafka.Record {
	record := kafka.Record{Timestamp: now, Value: line}
	if p.cfg.keySeparator != "" {
		if key, value, ok := bytes.Cut(line, []byte(p.cfg.keySeparator)); ok {
			record.Key, record.Value = key, value
		}
	}
	if p.cfg.null != "" && string(record.Value) == p.cfg.null {
		record.Value = nil
	}
	return record
}

// place returns the partition: the record's own, that of --partition, that of the key, or the next in turn.
func (p *lineProducer) place(key []byte, wanted *int32) (int32, error) {
	switch {
	case wanted == nil && p.cfg.partition >= 0:
		wanted = &p.cfg.partition
	case wanted == nil && key != nil:
		return kafka.Partition(key, p.partitions), nil
	case wanted == nil:
		p.nextKeyless = (p.nextKeyless + 1) % p.partitions
		return p.nextKeyless, nil
	}
	if *wanted < 0 || *wanted >= p.partitions {
		return 0, fmt.Errorf("there is no partition %d: topic %s has %d, numbered from 0", *wanted, p.topic, p.partitions)
	}
	return *wanted, nil
}
