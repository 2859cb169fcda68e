package server

import (
	"encoding/binary"
	"net"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/rio-streams/rio/broker/internal/engine"
)

// send sends a response.
func (c *conn) send(a *answer) error {
	switch {
	case a.raw:
		return c.sendAll(net.Buffers{binary.BigEndian.AppendUint32(nil, uint32(len(a.token))), a.token})
	case a.response == nil:
		return net.ErrClosed
	case a.response == engine.NoResponse:
		return nil
	}
	var p pieces
	p.encoded = binary.BigEndian.AppendUint32(make([]byte, 4, 512), uint32(a.correlation))
	p.encoded = appendNoTags(p.encoded, a.flexible)
	if fetched, ok := a.response.(*engine.Fetched); ok {
		p.appendFetch(fetched.FetchResponse)
	} else {
		p.encoded = a.response.AppendTo(p.encoded)
	}
	binary.BigEndian.PutUint32(p.encoded, uint32(p.size()-4))
	return c.sendAll(p.buffers())
}

// sendAll sends bytes, chunk by chunk.
func (c *conn) sendAll(b net.Buffers) error {
	for len(b) > 0 {
		if err := c.SetWriteDeadline(time.Now().Add(stepTimeout)); err != nil {
			return err
		}
		next := nextChunk(&b)
		n, err := next.WriteTo(c.Conn)
		c.server.meters.sent.Add(n)
		if err != nil {
			return err
		}
	}
	return nil
}

// nextChunk removes up to chunk bytes from the beginning of b.
func nextChunk(b *net.Buffers) (taken net.Buffers) {
	for room := chunk; len(*b) > 0 && room > 0; {
		first := &(*b)[0]
		n := min(len(*first), room)
		taken, room = append(taken, (*first)[:n]), room-n
		if *first = (*first)[n:]; len(*first) == 0 {
			*b = (*b)[1:]
		}
	}
	return taken
}

// release returns the memory that a fetch response has borrowed.
func release(res kmsg.Response) {
	if fetched, ok := res.(*engine.Fetched); ok {
		fetched.Release()
	}
}
