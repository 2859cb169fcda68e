package broker_test

import (
	"encoding/binary"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"

	"github.com/rio-streams/rio/broker"
	"github.com/rio-streams/rio/internal/paralleltest"
)

func TestMain(m *testing.M) {
	paralleltest.Raise(32) // the suite mostly waits
	goleak.VerifyTestMain(m)
}

// Proves: loopback-unless-told
func TestListensOnLoopbackUnlessTold(t *testing.T) {
	b := start(t, broker.Config{})
	host, _, err := net.SplitHostPort(b.Addr())
	if err != nil || host != "127.0.0.1" {
		t.Fatalf("listens on %s (%v), want 127.0.0.1", b.Addr(), err)
	}
}

func TestGivenAddressIsFixed(t *testing.T) {
	first := start(t, broker.Config{})
	address := first.Addr()
	closed(t, first)
	if again := start(t, broker.Config{Listen: address}); again.Addr() != address {
		t.Fatalf("listens on %s, want %s", again.Addr(), address)
	}
}

func TestKeepPortFindsThePortOfTheLastRun(t *testing.T) {
	dir := t.TempDir()
	first := start(t, broker.Config{DataDir: dir, KeepPort: true})
	closed(t, first)
	again := start(t, broker.Config{DataDir: dir, KeepPort: true})
	if again.Addr() != first.Addr() {
		t.Fatalf("listens on %s, want %s as the last time", again.Addr(), first.Addr())
	}
}

func TestAddressInUse(t *testing.T) {
	b := start(t, broker.Config{})
	_, err := broker.Start(broker.Config{Listen: b.Addr()})
	mustSay(t, err, b.Addr(), "another program uses that port", "port 0")
}

func TestMistakesAreToldAtOnce(t *testing.T) {
	_, err := broker.Start(broker.Config{Listen: "0.0.0.0:9092", Partitions: -1, KeepPort: true})
	mustSay(t, err, "names no host", "Partitions is -1", "KeepPort needs a DataDir")
}

// Proves: directory-has-one-owner
func TestDirectoryOfAnotherBroker(t *testing.T) {
	dir := t.TempDir()
	b := start(t, broker.Config{DataDir: dir})
	_, err := broker.Start(broker.Config{DataDir: dir})
	mustSay(t, err, dir, "another broker of this process", b.Addr(), "choose another directory")

	// The same file with the pid of another process: the error names that process.
	if err := os.WriteFile(filepath.Join(dir, "lock"), []byte("pid 1\naddress 127.0.0.1:9092\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err = broker.Start(broker.Config{DataDir: dir})
	mustSay(t, err, dir, "process 1", "127.0.0.1:9092", "stop that process")
}

func TestUnusableDirectory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := broker.Start(broker.Config{DataDir: filepath.Join(file, "data")})
	mustSay(t, err, file, "choose a directory that this user may write")
}

// Proves: acked-not-lost
func TestRestartKeepsRecords(t *testing.T) {
	dir := t.TempDir()
	first := start(t, broker.Config{DataDir: dir, AutoCreateTopics: true, Partitions: 3})
	produce(t, first.Addr(), "colours", "red", "green", "blue")
	closed(t, first)

	again := start(t, broker.Config{DataDir: dir})
	if got := consume(t, again.Addr(), "colours", 3); strings.Join(got, " ") != "red green blue" {
		t.Fatalf("after a restart the topic contains %q", got)
	}
}

func TestCloseEndsConnectedClients(t *testing.T) {
	b := start(t, broker.Config{})
	client, err := net.Dial("tcp", b.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	closed(t, b)
	closed(t, b) // may be called twice
	if _, err := client.Read(make([]byte, 1)); err == nil {
		t.Fatal("the connection is still open after Close")
	}
}

// Proves: unknown-requests-are-refused
func TestNonsenseEndsOnlyThatConnection(t *testing.T) {
	b := start(t, broker.Config{})
	for name, nonsense := range map[string][]byte{
		"http":         []byte("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
		"unknown key":  frame(12345, 0, 8),
		"negative key": frame(-7, 0, 8),
		"empty frame":  make([]byte, 8),
		"huge frame":   binary.BigEndian.AppendUint64(nil, 0x7fffffff_00030000),
	} {
		t.Run(name, func(t *testing.T) {
			client, err := net.Dial("tcp", b.Addr())
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			if _, err := client.Write(nonsense); err != nil {
				t.Fatal(err)
			}
			if answer, err := io.ReadAll(client); len(answer) > 0 {
				t.Fatalf("answered %q, %v", answer, err)
			}
		})
	}
	dial(t, b.Addr()) // the broker still responds
}

// frame returns a request of size bytes: its header, then zeroes.
func frame(key, version int16, size int) []byte {
	f := binary.BigEndian.AppendUint32(nil, uint32(size))
	f = binary.BigEndian.AppendUint16(f, uint16(key))
	f = binary.BigEndian.AppendUint16(f, uint16(version))
	return append(f, make([]byte, size-4)...)
}

func start(t *testing.T, cfg broker.Config) *broker.Broker {
	t.Helper()
	b, err := broker.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closed(t, b) })
	return b
}

func closed(t *testing.T, b *broker.Broker) {
	t.Helper()
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
}

func mustSay(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error; want one with %q", parts)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error lacks %q: %v", part, err)
		}
	}
}

// dial connects with franz-go, so that this file does not depend on package kafka.
func dial(t *testing.T, address string, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	opts = append(opts, kgo.SeedBrokers(address), kgo.AllowAutoTopicCreation(), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	client, err := kgo.NewClient(opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	if err := client.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	return client
}

func produce(t *testing.T, address, topic string, values ...string) {
	t.Helper()
	client := dial(t, address)
	for _, value := range values {
		if err := client.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Value: []byte(value)}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	client.Close()
}

func consume(t *testing.T, address, topic string, n int) []string {
	t.Helper()
	client := dial(t, address, kgo.ConsumeTopics(topic))
	var values []string
	for len(values) < n {
		fetches := client.PollFetches(t.Context())
		if err := fetches.Err(); err != nil {
			t.Fatal(err)
		}
		fetches.EachRecord(func(r *kgo.Record) { values = append(values, string(r.Value)) })
	}
	return values
}
