package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/rio-streams/rio/kafka"
)

// A printer prints records, one per line.
type printer struct {
	out        *bufio.Writer
	format     string
	keys       bool
	null       string
	key, value view
	hint       func(string) // prints a hint for the user, separate from the output
	hinted     bool
}

func newPrinter(out io.Writer, cfg consumeConfig, hint func(string)) *printer {
	return &printer{
		out:    bufio.NewWriterSize(out, 1<<16),
		format: cfg.format,
		keys:   cfg.keys,
		null:   cfg.null,
		hint:   hint,
		key:    views[cfg.keyType],
		value:  views[cfg.valueType],
	}
}

func (p *printer) print(tp kafka.TopicPartition, r *kafka.Record) error {
	shown := *r
	var err error
	if shown.Key, err = p.key(r.Key); err != nil {
		return fmt.Errorf("%v at %d: key: %w; see --key-type", tp, r.Offset, err)
	}
	if shown.Value, err = p.value(r.Value); err != nil {
		return fmt.Errorf("%v at %d: value: %w; see --value-type", tp, r.Offset, err)
	}
	if p.format == "json" {
		return printJSON(p.out, encodeRecord(tp.Partition, &shown))
	}
	p.suggest(&shown)
	if p.keys {
		p.text(shown.Key)
		p.out.WriteByte('\t')
	}
	p.text(shown.Value)
	return p.out.WriteByte('\n') // it also returns earlier errors
}

// suggest prints a hint, once, if values are printed as text but are not text.
func (p *printer) suggest(r *kafka.Record) {
	if p.hinted || utf8.Valid(r.Value) && !bytes.ContainsRune(r.Value, 0) {
		return
	}
	p.hinted = true
	if len(r.Value) == 8 {
		p.hint("these values are not text; for counts and other numbers of 8 bytes: --value-type int64 or float64")
	} else {
		p.hint("these values are not text; --format json prints them in base64")
	}
}

func (p *printer) text(data []byte) {
	if data == nil {
		p.out.WriteString(p.null)
		return
	}
	p.out.Write(data)
}

// flush writes the buffered output; afterwards its records may be committed.
func (p *printer) flush() error {
	if err := p.out.Flush(); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}
