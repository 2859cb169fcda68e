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

// Durability says what an acknowledged record survives.
type Durability string

const (
	// Fsync waits for the disk, once for all that came in together: acknowledged records survive a power cut.
	Fsync Durability = "fsync"

	// OS waits until the operating system has the record, as Apache Kafka does by default: it survives kill -9 of the broker.
	// After a power cut the broker starts with a state of some seconds before: the latest records and commits are lost.
	OS Durability = "os"
)

// Config says how a broker runs. The zero value runs one in memory on a free port of loopback.
type Config struct {
	// DataDir is the directory that keeps the log; it is created if it is missing. Default: "", everything in memory.
	DataDir string

	// Durability says when a record is acknowledged. Default: Fsync.
	Durability Durability

	// Listen is host:port, and is also the address that clients are told to use; so the host is one that they can reach,
	// never a wildcard such as 0.0.0.0. Port 0 takes a free one. Default: "127.0.0.1:0".
	Listen string

	// KeepPort makes port 0 mean the port that DataDir was served on the last time, if there was one, so that clients of
	// the last run find the broker again. Default: false.
	KeepPort bool

	// Partitions is the number of partitions of a topic that is created without saying how many. Default: 1, like Kafka.
	Partitions int

	// AutoCreateTopics creates a topic when a client asks about one that does not exist. A mistyped name then makes a
	// topic instead of an error. Default: false.
	AutoCreateTopics bool

	// TLS encrypts the connections; it needs a certificate. Default: nil, plain text.
	TLS *tls.Config

	// Users are the names and passwords that may log in, by SASL PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512. Without TLS, PLAIN
	// sends the password in the clear. Default: none, nobody has to log in.
	Users map[string]string

	// Logger receives what happens inside the broker. Default: nothing is logged.
	Logger *slog.Logger
}

const (
	// minSessionTimeout is the shortest session timeout that a group member may ask for. Kafka's 6 s would make every test
	// of a lost member wait that long.
	minSessionTimeout = 100 * time.Millisecond

	mostConnections = 10_000
	mostOpenFiles   = 500 // of the log; more are opened and closed as they are needed
	maxPartitions   = 100_000
	maxMemory       = 256 << 20 // bytes of requests that are being worked on
	maxUnsent       = 256 << 20 // bytes of records on their way to clients
)

// check fills the defaults and splits the address. All mistakes are told at once.
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
		wrong("Listen %q names no host: clients are told to connect to it, so say which, such as 127.0.0.1:%s", c.Listen, port)
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

// users prepares the users for logging in, nil for none.
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
