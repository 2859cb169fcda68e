package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	probeEvery = 2 * time.Millisecond
	startLimit = 2 * time.Minute
)

// awaitPartitions requests metadata until the broker responds, leads the given number of partitions, and no partition
// is without a leader. It uses the protocol directly, because a client waits longer between two attempts than a broker
// may need to start.
func awaitPartitions(ctx context.Context, addr string, partitions int) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	ticker := time.NewTicker(probeEvery)
	defer ticker.Stop()
	for {
		answer, err := metadata(ctx, addr)
		if err == nil {
			if err = leads(answer, partitions); err == nil {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("no valid response from %s: %w", addr, context.Cause(ctx)), err)
		case <-ticker.C:
		}
	}
}

// leads reports whether every partition has a leader and their number is as expected.
func leads(m *kmsg.MetadataResponse, partitions int) error {
	if len(m.Brokers) == 0 {
		return errors.New("the metadata contains no broker")
	}
	led := 0
	for _, t := range m.Topics {
		for _, p := range t.Partitions {
			if p.ErrorCode != 0 || p.Leader < 0 {
				return fmt.Errorf("partition %d of %s has no leader, error code %d", p.Partition, *t.Topic, p.ErrorCode)
			}
			led++
		}
	}
	if led < partitions {
		return fmt.Errorf("the broker leads %d partitions, want %d", led, partitions)
	}
	return nil
}

// metadata requests the metadata of all topics once, on a new connection.
func metadata(ctx context.Context, addr string) (*kmsg.MetadataResponse, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	request := kmsg.NewPtrMetadataRequest()
	request.Version = 8 // the last version with the old header format
	if _, err := conn.Write(kmsg.NewRequestFormatter().AppendRequest(nil, request, 0)); err != nil {
		return nil, err
	}
	var header [8]byte // size, correlation id
	if _, err := io.ReadFull(conn, header[:]); err != nil {
		return nil, err
	}
	body := make([]byte, binary.BigEndian.Uint32(header[:])-4)
	if _, err := io.ReadFull(conn, body); err != nil {
		return nil, err
	}
	response := request.ResponseKind().(*kmsg.MetadataResponse)
	return response, response.ReadFrom(body)
}
