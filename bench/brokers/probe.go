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

// awaitPartitions asks the broker for its metadata until it answers and leads that many partitions, and no partition is
// without a leader. It speaks the protocol itself, for a client pauses longer between two attempts than a broker may need
// to start.
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
			return errors.Join(fmt.Errorf("no good answer from %s: %w", addr, context.Cause(ctx)), err)
		case <-ticker.C:
		}
	}
}

// leads says whether every partition has its leader, and there are as many as expected.
func leads(m *kmsg.MetadataResponse, partitions int) error {
	if len(m.Brokers) == 0 {
		return errors.New("the metadata name no broker")
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
		return fmt.Errorf("it leads %d partitions, want %d", led, partitions)
	}
	return nil
}

// metadata asks once for all topics, on a connection of its own.
func metadata(ctx context.Context, addr string) (*kmsg.MetadataResponse, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	request := kmsg.NewPtrMetadataRequest()
	request.Version = 8 // the last with headers of the plain old form
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
