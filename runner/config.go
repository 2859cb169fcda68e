package runner

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/rio-streams/rio/kafka"
	"github.com/rio-streams/rio/processor"
)

// Config configures how an application runs. The zero value runs it exactly-once on an embedded broker and keeps all files
// in the user's cache directory.
type Config struct {
	// Brokers are the addresses (host:port) of a Kafka cluster. Default: none, a broker inside this process.
	Brokers []string

	// Client holds the other connection settings: TLS, SASL, timeouts. Its Brokers field is ignored.
	Client kafka.Config

	// Listen is the address (host:port) of the embedded broker. Default: a free port of 127.0.0.1, which later starts reuse.
	Listen string

	// Dir is the directory for state and, without Brokers, for the broker's log. Processes may share it; each uses its own
	// subdirectory. Default: <user cache directory>/rio/<application>.
	Dir string

	// Application is the consumer group and the prefix of internal topics. Together with OutputPrefix it runs a second,
	// independent copy of an application. Default: the topology's name.
	Application string

	// OutputPrefix is prepended to the name of every topic that the topology writes. Default: "".
	OutputPrefix string

	// InputNames are the names in the log of topics that the topology only reads, by their names in the topology, where the two
	// differ. So a copy of an application reads what a copy of another one, with its OutputPrefix, has written. Default: none.
	InputNames map[string]string

	// AtLeastOnce commits without transactions: after a crash some results may be duplicated. It saves the two round trips
	// of a transaction per commit. Default: false, exactly-once.
	AtLeastOnce bool

	// CommitInterval is how often results, state and offsets are committed. A commit comes between two records, even if more
	// are queued. At most a third of TransactionTimeout is used. Default: 100 ms.
	CommitInterval time.Duration

	// Workers is the number of goroutines that process records, each with its own producer. Default: GOMAXPROCS.
	Workers int

	// CreateTopics creates missing topics that the topology reads or writes; otherwise a missing topic is an error. Internal
	// topics are always created. Default: false with Brokers, true without.
	CreateTopics bool

	// Partitions is the number of partitions of created topics without a Topic.Partitions. Default: 4.
	Partitions int

	// ReplicationFactor is the replication factor of created topics. Default: the broker's default.
	ReplicationFactor int16

	// Latest makes a new application skip the existing records of the topics that it reads as streams. It applies to
	// partitions without committed offsets and without Topic.StartAt. Default: false, from the earliest record.
	Latest bool

	// StopAtEnd ends the run when the records that were in the topics at the start, and all records derived from them, are
	// processed and committed. Default: false, run until the context ends.
	StopAtEnd bool

	// Policies decides what happens to records that fail. Default: the run ends with the error.
	Policies processor.Policies

	// Memory limits the memory for records and state, in bytes: 3/8 for cached rows, 3/8 for pebble's block cache and
	// memtables, 1/8 for fetched records that are not yet processed, 1/8 for results that the brokers have not yet
	// acknowledged. A single record, and the changes that it causes, may exceed a part. Memory of the program's own code
	// and uncollected garbage are not included. Default: 256 MiB.
	Memory int64

	// SessionTimeout is how long the process may send no heartbeat before its tasks go to other processes. Default: 15 s.
	SessionTimeout time.Duration

	// TransactionTimeout is how long the open transaction of a dead process may block readers of its results.
	// Default: 10 s, or ten commit intervals if that is longer.
	TransactionTimeout time.Duration

	// RetryTimeout is how long the application retries after failures of the cluster, counted from the first failure.
	// Default: 5 min.
	RetryTimeout time.Duration

	// MaxProcessing is how long one call of a handler may take. A longer call is logged with its record and its stack. Its
	// context ends, the other tasks of its worker move to a new worker, and its own task continues after it has returned.
	// Like max.poll.interval.ms. Default: 5 min.
	MaxProcessing time.Duration

	// StallTimeout is how long a task with unprocessed records may make no progress before it counts as stalled. Then the
	// application is Degraded, and App.Ready gives the reason, such as a handler that has not returned or another program's
	// open transaction. Default: 1 min.
	StallTimeout time.Duration

	// ReadyLag is how many offsets a task may lag behind the end of a partition while the application still counts as
	// ready; see App.Ready. Negative means no limit. Default: 100,000.
	ReadyLag int64

	// OnStateChange is called after each change of the application's state, in order, in its own goroutine, so it may
	// block. Default: none; changes are logged in any case.
	OnStateChange func(StateChange)

	// Pprof makes App.Handler serve /debug/pprof. Default: false.
	Pprof bool

	// StopTimeout is how long a stop may take. Run's error names a handler that has not returned by then; its record is
	// processed again at the next start. Default: 25 s, less than the 30 s after which Kubernetes kills a process.
	StopTimeout time.Duration

	// Logger receives the log messages. Default: slog.Default().
	Logger *slog.Logger
}

func (cfg Config) withDefaults(application string) (Config, error) {
	if cfg.Application == "" {
		cfg.Application = application
	}
	if len(cfg.Brokers) == 0 {
		cfg.CreateTopics = true
	}
	if cfg.Dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return cfg, fmt.Errorf("runner: no default state directory: %w; set Config.Dir", err)
		}
		cfg.Dir = filepath.Join(cache, "rio", cfg.Application)
	}
	setDefault(&cfg.CommitInterval, 100*time.Millisecond)
	setDefault(&cfg.Workers, runtime.GOMAXPROCS(0))
	setDefault(&cfg.Partitions, 4)
	setDefault(&cfg.ReplicationFactor, -1)
	setDefault(&cfg.Memory, 256<<20)
	setDefault(&cfg.SessionTimeout, 15*time.Second)
	setDefault(&cfg.TransactionTimeout, max(10*time.Second, 10*cfg.CommitInterval))
	setDefault(&cfg.RetryTimeout, 5*time.Minute)
	setDefault(&cfg.MaxProcessing, 5*time.Minute)
	setDefault(&cfg.StallTimeout, time.Minute)
	setDefault(&cfg.ReadyLag, 100_000)
	setDefault(&cfg.StopTimeout, 25*time.Second)
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	return cfg, cfg.validate()
}

func setDefault[T comparable](field *T, value T) {
	if *field == *new(T) {
		*field = value
	}
}

// validate returns all mistakes in one error.
func (cfg Config) validate() error {
	var mistakes []error
	wrong := func(bad bool, format string, args ...any) {
		if bad {
			mistakes = append(mistakes, fmt.Errorf("runner: "+format, args...))
		}
	}
	wrong(cfg.CommitInterval < 0, "CommitInterval is %v: it must be positive", cfg.CommitInterval)
	wrong(cfg.Workers < 0, "Workers is %d: it must be at least 1", cfg.Workers)
	wrong(cfg.Partitions < 0, "Partitions is %d: it must be at least 1", cfg.Partitions)
	wrong(cfg.ReplicationFactor < -1, "ReplicationFactor is %d: it must be at least 1", cfg.ReplicationFactor)
	wrong(cfg.Memory < 0, "Memory is %d: it must be positive", cfg.Memory)
	wrong(cfg.SessionTimeout < 0, "SessionTimeout is %v: it must be positive", cfg.SessionTimeout)
	wrong(cfg.TransactionTimeout < cfg.CommitInterval, "TransactionTimeout is %v: it must be longer than CommitInterval, %v", cfg.TransactionTimeout, cfg.CommitInterval)
	wrong(cfg.StallTimeout < 0 || cfg.StallTimeout > 0 && cfg.StallTimeout < 10*time.Millisecond, "StallTimeout is %v: it must be at least 10 ms", cfg.StallTimeout)
	wrong(cfg.MaxProcessing < 0 || cfg.MaxProcessing > 0 && cfg.MaxProcessing < 10*time.Millisecond, "MaxProcessing is %v: it must be at least 10 ms", cfg.MaxProcessing)
	wrong(cfg.StopTimeout < 0, "StopTimeout is %v: it must be positive", cfg.StopTimeout)
	wrong(cfg.RetryTimeout < 0, "RetryTimeout is %v: it must be positive", cfg.RetryTimeout)
	wrong(len(cfg.Brokers) > 0 && cfg.Listen != "", "both Listen, for the embedded broker, and Brokers, for a cluster, are set: set one of them")
	return errors.Join(append(mistakes, cfg.Policies.Validate())...)
}
