package broker

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
)

// Config says how a broker runs. The zero value runs one in memory on a free port of loopback.
type Config struct {
	// DataDir is the directory that keeps the log; it is created if it is missing. Default: "", everything in memory.
	DataDir string

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

	// Sync makes every produced batch wait for the disk (about 0.2 to 5 ms each). Without it a power cut loses what the
	// operating system had not written yet, as Kafka does by default; a crash of the process alone does not.
	// Default: false.
	Sync bool

	// Logger receives what goes wrong inside the broker. Default: nothing is logged.
	Logger *slog.Logger
}

// Broker is a running broker. Start makes it, Close ends it.
type Broker struct {
	addr     string
	cluster  *kfake.Cluster
	listener *listener
	lock     *dirLock // nil in memory
	log      *logger

	closing sync.Once
	failed  error // what Close reported
}

// minSessionTimeout is the shortest session time-out that a group member may ask for. Kafka's 6 s would make every test of
// a lost member wait that long.
const minSessionTimeout = 100 * time.Millisecond

// noCleaner is the cleaner's interval in milliseconds, a hundred years: doc.go says why it must not run.
const noCleaner = "3153600000000"

// Start runs a broker until Close. An error says which directory or address could not be used, and how to mend it.
func Start(cfg Config) (*Broker, error) {
	host, port, err := cfg.check()
	if err != nil {
		return nil, err
	}
	b := &Broker{log: newLogger(cfg.Logger)}
	if cfg.DataDir != "" {
		if b.lock, err = lockDir(cfg.DataDir); err != nil {
			return nil, err
		}
		if port == "0" && cfg.KeepPort {
			port = b.lock.lastPort(port)
		}
	}
	if err := b.start(cfg, net.JoinHostPort(host, port)); err != nil {
		return nil, errors.Join(err, b.lock.release())
	}
	return b, nil
}

func (b *Broker) start(cfg Config, listen string) error {
	listener, err := listenOn(listen)
	if err != nil {
		return err
	}
	opts := []kfake.Opt{
		kfake.NumBrokers(1),
		kfake.ListenFn(func(string, string) (net.Listener, error) { return listener, nil }),
		kfake.ClusterID("rio"),
		kfake.DefaultNumPartitions(cfg.Partitions),
		kfake.GroupMinSessionTimeout(minSessionTimeout),
		kfake.BrokerConfigs(map[string]string{"log.cleaner.backoff.ms": noCleaner}),
		kfake.WithLogger(b.log),
	}
	if cfg.AutoCreateTopics {
		opts = append(opts, kfake.AllowAutoTopicCreation())
	}
	if cfg.DataDir != "" {
		opts = append(opts, kfake.DataDir(filepath.Join(cfg.DataDir, "kfake")))
	}
	if cfg.Sync {
		opts = append(opts, kfake.SyncWrites())
	}
	cluster, err := kfake.NewCluster(opts...)
	if err != nil {
		return errors.Join(fmt.Errorf("broker: open %s: %w", cfg.where(), err), listener.Close())
	}
	b.cluster, b.listener, b.addr = cluster, listener, listener.Addr().String()
	return b.lock.write(b.addr)
}

// Addr is the host:port that clients dial.
func (b *Broker) Addr() string { return b.addr }

// Close stops listening, ends the connections, writes everything to disk and gives up the data directory. An error says
// what could not be written.
func (b *Broker) Close() error {
	b.closing.Do(func() {
		collected := b.log.collect()
		b.cluster.Close()
		b.listener.drain()
		b.failed = errors.Join(collected(), b.lock.release())
	})
	return b.failed
}

// check fills the defaults and splits the address. All mistakes are told at once.
func (c *Config) check() (host, port string, err error) {
	if c.Listen == "" {
		c.Listen = "127.0.0.1:0"
	}
	if c.Partitions == 0 {
		c.Partitions = 1
	}
	var mistakes []error
	host, port, err = net.SplitHostPort(c.Listen)
	if err != nil {
		mistakes = append(mistakes, fmt.Errorf("broker: Listen %q is not host:port: %w", c.Listen, err))
	} else if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		mistakes = append(mistakes, fmt.Errorf("broker: Listen %q names no host: clients are told to connect to it, so say which, such as 127.0.0.1:%s", c.Listen, port))
	}
	if c.Partitions < 0 {
		mistakes = append(mistakes, fmt.Errorf("broker: Partitions is %d, but a topic has at least one", c.Partitions))
	}
	if c.KeepPort && c.DataDir == "" {
		mistakes = append(mistakes, errors.New("broker: KeepPort needs a DataDir to remember the port in"))
	}
	return host, port, errors.Join(mistakes...)
}

func (c *Config) where() string {
	if c.DataDir == "" {
		return "in memory"
	}
	return c.DataDir
}

// listenOn opens the port; an address in use is the most common mistake, so it says how to mend it.
func listenOn(address string) (*listener, error) {
	inner, err := net.Listen("tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("broker: listen on %s: another program uses that port; stop it, or choose another with Listen (port 0 takes a free one): %w", address, err)
	case err != nil:
		return nil, fmt.Errorf("broker: listen on %s: %w", address, err)
	}
	return newListener(inner), nil
}

// usableDir creates the directory if it is missing, or says why it cannot be used.
func usableDir(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("broker: data directory %s: %w; choose one that this user may write", dir, err)
	}
	return nil
}
