package crashtest

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// More clients connect than the process may have file descriptors. Some are rejected. Existing connections still work, the
// log can still create files, and new clients can connect when the others have left.
func TestMoreClientsThanFiles(t *testing.T) {
	long(t)
	const files, crowd, records = 128, 300, 60
	p := newProcess(t, t.ArtifactDir())
	p.files = files
	p.serve()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	client := newClient(ctx, t, p.address, kgo.ProducerBatchCompression(kgo.NoCompression()))
	defer client.Close()
	if err := createTopic(ctx, client, after.topic, 1); err != nil {
		t.Fatal(err)
	}
	write := func() {
		t.Helper()
		record := &kgo.Record{Topic: after.topic, Value: make([]byte, 900<<10)}
		if err := client.ProduceSync(ctx, record).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	write()
	var idle []net.Conn
	for range crowd {
		conn, err := net.Dial("tcp", p.address)
		if err != nil {
			t.Fatal(err)
		}
		idle = append(idle, conn)
	}
	for range records {
		write()
	}
	for _, conn := range idle {
		conn.Close()
	}
	views, err := read(ctx, p.address, kgo.ReadUncommitted(), []place{after})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(views[after].entries); n != 1+records {
		t.Errorf("a client that connects later reads %d records, want %d", n, 1+records)
	}
}
