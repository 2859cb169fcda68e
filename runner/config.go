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

// Config says how an application runs. The zero value runs it exactly-once on an embedded broker, with everything it
// keeps under the user's cache directory.
type Config struct {
	// Brokers are the addresses (host:port) of a Kafka cluster. Default: none, a broker inside this process.
	Brokers []string

	// Client holds what else connects to a cluster: TLS, SASL, time-outs. Its Brokers are taken from above.
	Client kafka.Config

	// Listen is where the embedded broker listens. Default: a free port of 127.0.0.1, the same at the next start.
	Listen string

	// Dir is where state and, without Brokers, the log are kept. Processes may share it: each takes a place of its own.
	// Default: <user cache directory>/rio/<application>.
	Dir string

	// Application replaces the topology's name: the consumer group, and the prefix of internal topics. With OutputPrefix
	// it runs a second copy of an application beside the first. Default: the topology's name.
	Application string

	// OutputPrefix is put before the name of every topic that the topology writes. Default: "".
	OutputPrefix string

	// AtLeastOnce commits without transactions: after a crash some results may be there twice. It saves the two
	// round trips of a transaction at each commit. Default: false, exactly-once.
	AtLeastOnce bool

	// CommitInterval is how often results, state and offsets are committed: after the record in hand, whether or not more
	// are waiting. Longer than a third of TransactionTimeout it counts as that. Default: 100 ms.
	CommitInterval time.Duration

	// Workers is how many goroutines process, each with a producer of its own. Default: GOMAXPROCS.
	Workers int

	// CreateTopics creates topics that the topology reads or writes and that do not exist; without it they are an error.
	// Internal topics are always created. Default: false with Brokers, true without.
	CreateTopics bool

	// Partitions is the number of partitions of created topics that do not ask for their own. Default: 4.
	Partitions int

	// ReplicationFactor is that of created topics. Default: the broker's default.
	ReplicationFactor int16

	// Latest begins with the records to come in all topics that are read as streams, where nothing is committed and no
	// Topic.StartAt says otherwise. Default: false, from the earliest.
	Latest bool

	// StopAtEnd ends the run when everything that was in the topics at the start, and what follows from it, is
	// processed and committed. Default: false, run until the context ends.
	StopAtEnd bool

	// Policies says what happens to records that fail. Default: the run ends with the error.
	Policies processor.Policies

	// Memory bounds what the process keeps in memory of records and state, in bytes: 3/8 for cached rows, 3/8 for
	// pebble's blocks and memtables, 1/8 for records that are fetched and not yet processed, 1/8 for results that the
	// brokers have not yet acknowledged. A single record, and what a commit writes of it, can be larger than its part.
	// What the program's own code keeps, and garbage that is not yet collected, come on top. Default: 256 MiB.
	Memory int64

	// SessionTimeout is how long the process may be silent before its tasks go to others. Default: 15 s.
	SessionTimeout time.Duration

	// TransactionTimeout is how long the transaction of a dead process can hold up those who read its results.
	// Default: 10 s, and at least ten commit intervals.
	TransactionTimeout time.Duration

	// RetryTimeout is how long the application goes on trying when something of the cluster fails again and again, counted
	// from the first failure. Default: 5 min.
	RetryTimeout time.Duration

	// MaxProcessing is how long one call of a handler may take. A call that takes longer is named in the log, with its
	// record and its stack. Its context ends, the other tasks of its worker move to a new worker, and its own task goes on
	// when it has returned. Like max.poll.interval.ms. Default: 5 min.
	MaxProcessing time.Duration

	// StallTimeout is how long a task that has something to process may make no progress until it counts as stalled: the
	// application is Degraded then and App.Ready says why, such as a handler that has not returned, or the transaction of
	// another program that is still open. Default: 1 min.
	StallTimeout time.Duration

	// ReadyLag is how many offsets a task may be behind the end of a partition for the application to count as ready; see
	// App.Ready. Negative is any number. Default: 100,000.
	ReadyLag int64

	// OnStateChange is called after each change of the application's state, in order, by a goroutine of its own: it holds
	// up nothing, and nothing waits for it. Default: none; changes are logged anyway.
	OnStateChange func(StateChange)

	// Pprof makes App.Handler serve /debug/pprof. Default: false.
	Pprof bool

	// StopTimeout is how long a stop may take. A handler that has not returned by then is named in the error that Run
	// returns; what it had in hand is processed again at the next start. Default: 25 s, less than the 30 s after which
	// Kubernetes kills a process.
	StopTimeout time.Duration

	// Logger takes what happens. Default: slog.Default().
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
			return cfg, fmt.Errorf("runner: no place for state: %w; set Config.Dir", err)
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

// validate tells all mistakes at once.
func (cfg Config) validate() error {
	var mistakes []error
	wrong := func(bad bool, format string, args ...any) {
		if bad {
			mistakes = append(mistakes, fmt.Errorf("runner: "+format, args...))
		}
	}
	wrong(cfg.CommitInterval < 0, "CommitInterval is %v: it must be positive", cfg.CommitInterval)
	wrong(cfg.Workers < 0, "Workers is %d: at least 1", cfg.Workers)
	wrong(cfg.Partitions < 0, "Partitions is %d: at least 1", cfg.Partitions)
	wrong(cfg.ReplicationFactor < -1, "ReplicationFactor is %d: at least 1", cfg.ReplicationFactor)
	wrong(cfg.Memory < 0, "Memory is %d: it must be positive", cfg.Memory)
	wrong(cfg.SessionTimeout < 0, "SessionTimeout is %v: it must be positive", cfg.SessionTimeout)
	wrong(cfg.TransactionTimeout < cfg.CommitInterval, "TransactionTimeout is %v: it must be longer than CommitInterval, %v", cfg.TransactionTimeout, cfg.CommitInterval)
	wrong(cfg.StallTimeout < 0 || cfg.StallTimeout > 0 && cfg.StallTimeout < 10*time.Millisecond, "StallTimeout is %v: at least 10 ms", cfg.StallTimeout)
	wrong(cfg.MaxProcessing < 0 || cfg.MaxProcessing > 0 && cfg.MaxProcessing < 10*time.Millisecond, "MaxProcessing is %v: at least 10 ms", cfg.MaxProcessing)
	wrong(cfg.StopTimeout < 0, "StopTimeout is %v: it must be positive", cfg.StopTimeout)
	wrong(cfg.RetryTimeout < 0, "RetryTimeout is %v: it must be positive", cfg.RetryTimeout)
	wrong(len(cfg.Brokers) > 0 && cfg.Listen != "", "Listen is for the embedded broker, but Brokers names a cluster: set one of them")
	return errors.Join(append(mistakes, cfg.Policies.Validate())...)
}
