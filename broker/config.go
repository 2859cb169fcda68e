package broker

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/rio-streams/rio/broker/internal/sasl"
)

// Durability says which failures an acknowledged record survives.
type Durability string

const (
	// Fsync syncs before acknowledging, once for all requests that arrived together: acknowledged records survive a
	// power failure.
	Fsync Durability = "fsync"

	// OS acknowledges when the operating system has the record, as Apache Kafka does by default: it survives kill -9 of
	// the broker. After a power failure, the records and commits of the last seconds may be lost.
	OS Durability = "os"
)

// Config configures a broker. The zero value runs one in memory, on a free port of the loopback interface.
type Config struct {
	// DataDir is the directory of the log; it is created if it is missing. Default: "", everything in memory.
	DataDir string

	// Durability says when a record is acknowledged. Default: Fsync.
	Durability Durability

	// Listen is the host:port to listen on. Clients are told to connect to the same address, so the host must be one
	// that they can reach, not a wildcard such as 0.0.0.0. Port 0 picks a free port. Default: "127.0.0.1:0".
	Listen string

	// KeepPort makes port 0 mean the port of the last run on the same DataDir, if there was one, so that clients find
	// the broker again after a restart. Default: false.
	KeepPort bool

	// Partitions is the number of partitions of a topic that is created without a number. Default: 1, like Kafka.
	Partitions int

	// AutoCreateTopics creates a topic when a client requests the metadata of one that does not exist. A misspelt name
	// then creates a topic instead of an error. Default: false.
	AutoCreateTopics bool

	// TLS encrypts the connections; it needs a certificate. Default: nil, plain text.
	TLS *tls.Config

	// Users are the names and passwords that may log in, by SASL PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512. Without TLS,
	// PLAIN sends the password in clear text. Default: none; no login is required.
	Users map[string]string

	// Logger receives the broker's log. Default: nothing is logged.
	Logger *slog.Logger
}

const (
	// minSessionTimeout is the shortest session timeout that a group member may request. With Kafka's 6 s, every test
	// of a lost member would wait that long.
	minSessionTimeout = 100 * time.Millisecond

	mostConnections = 10_000
	mostOpenFiles   = 500 // files of the log; more are opened and closed on demand
	maxPartitions   = 100_000
	maxMemory       = 256 << 20 // bytes of requests that are being processed
	maxUnsent       = 256 << 20 // bytes of fetched records that have not been sent yet
)

// check applies the defaults and splits the address. It reports all mistakes at once.
func (c *Config) check() (host, port string, err error) {
	setDefault(&c.Listen, "127.0.0.1:0")
	setDefault(&c.Partitions, 1)
	setDefault(&c.Durability, Fsync)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	var mistakes []error
	wrong := func(format string, args ...any) { mistakes = append(mistakes, fmt.Errorf("broker: "+format, args...)) }
	host, port, err = net.SplitHostPort(c.Listen)
	if err != nil {
		wrong("Listen %q is not host:port: %w", c.Listen, err)
	} else if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		wrong("Listen %q names no host: clients connect to this address, so name one, such as 127.0.0.1:%s", c.Listen, port)
	}
	if c.Partitions < 0 {
		wrong("Partitions is %d, but a topic has at least one", c.Partitions)
	}
	if c.Durability != Fsync && c.Durability != OS {
		wrong("Durability is %q: it is %q or %q", c.Durability, Fsync, OS)
	}
	if c.KeepPort && c.DataDir == "" {
		wrong("KeepPort needs a DataDir to remember the port in")
	}
	if c.TLS != nil && len(c.TLS.Certificates) == 0 && c.TLS.GetCertificate == nil && c.TLS.GetConfigForClient == nil {
		wrong("TLS needs a certificate")
	}
	return host, port, errors.Join(mistakes...)
}

func setDefault[T comparable](field *T, value T) {
	if *field == *new(T) {
		*field = value
	}
}

// users prepares the users for login; it returns nil if there are none.
func (c *Config) users() (*sasl.Users, error) {
	if len(c.Users) == 0 {
		return nil, nil
	}
	users, err := sasl.NewUsers(c.Users)
	if err != nil {
		return nil, fmt.Errorf("broker: Users: %w", err)
	}
	return users, nil
}
