package main

import (
	"bufio"
	"fmt"
	"io"

	"github.com/rio-streams/rio/kafka"
)

// A printer prints records, one a line.
type printer struct {
	out    *bufio.Writer
	format string
	keys   bool
	null   string
}

func newPrinter(out io.Writer, cfg consumeConfig) *printer {
	return &printer{out: bufio.NewWriterSize(out, 1<<16), format: cfg.format, keys: cfg.keys, null: cfg.null}
}

func (p *printer) print(partition int32, r *kafka.Record) error {
	if p.format == "json" {
		return printJSON(p.out, encodeRecord(partition, r))
	}
	if p.keys {
		p.text(r.Key)
		p.out.WriteByte('\t')
	}
	p.text(r.Value)
	return p.out.WriteByte('\n') // it also tells of errors before
}

func (p *printer) text(data []byte) {
	if data == nil {
		p.out.WriteString(p.null)
		return
	}
	p.out.Write(data)
}

// flush hands over what was printed; after it, records may be committed.
func (p *printer) flush() error {
	if err := p.out.Flush(); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}
