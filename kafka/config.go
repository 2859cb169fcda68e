package kafka

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/IBM/sarama"
)

// Config says how to connect to a cluster. The zero value connects to a broker on this machine.
type Config struct {
	// Brokers are the addresses (host:port) for the first connection. One that answers is enough: it lists the others.
	// Default: 127.0.0.1:9092.
	Brokers []string

	// ClientID identifies this client in the broker's logs and quotas. Default: "rio".
	ClientID string

	// TLS, if not nil, encrypts all connections. Unless it sets ServerName, the host name of each broker is verified.
	// Default: nil, no encryption.
	TLS *tls.Config

	// SASL holds the credentials. Default: none.
	SASL SASL

	// DialTimeout bounds how long Dial looks for a broker, and how long opening one connection may take. Default: 5 s.
	DialTimeout time.Duration

	// RequestTimeout bounds how long a broker may take to answer one request, not counting the time it was asked to
	// wait for data or for other members of a group. Default: 15 s.
	RequestTimeout time.Duration

	// RetryTimeout bounds how long one operation is retried while brokers restart or leaders move; then it fails with
	// the last error. Default: 30 s.
	RetryTimeout time.Duration
}

// SASL holds the credentials of a client. Use it together with Config.TLS: PLAIN sends the password in clear text.
type SASL struct {
	Mechanism string // "" for none, "PLAIN", "SCRAM-SHA-256" or "SCRAM-SHA-512"
	User      string
	Password  string
}

// String hides the password, so that a Config can be printed.
func (s SASL) String() string {
	if s.Mechanism == "" {
		return "none"
	}
	return s.Mechanism + " as " + s.User
}

// GoString hides the password from %#v.
func (s SASL) GoString() string { return "kafka.SASL{" + s.String() + "}" }

// withDefaults returns cfg with every zero field replaced by its default.
func (cfg Config) withDefaults() Config {
	if len(cfg.Brokers) == 0 {
		cfg.Brokers = []string{"127.0.0.1:9092"}
	}
	if cfg.ClientID == "" {
		cfg.ClientID = "rio"
	}
	if cfg.DialTimeout <= 0 {
		cfg.DialTimeout = 5 * time.Second
	}
	if cfg.RequestTimeout <= 0 {
		cfg.RequestTimeout = 15 * time.Second
	}
	if cfg.RetryTimeout <= 0 {
		cfg.RetryTimeout = 30 * time.Second
	}
	return cfg
}

// validate reports all mistakes at once.
func (cfg Config) validate() error {
	var errs []error
	for _, addr := range cfg.Brokers {
		if host, port, err := net.SplitHostPort(addr); err != nil || host == "" || port == "" {
			errs = append(errs, fmt.Errorf("broker address %q: want host:port, such as 127.0.0.1:9092", addr))
		}
	}
	switch cfg.SASL.Mechanism {
	case "":
		if cfg.SASL.User != "" {
			errs = append(errs, errors.New("SASL has a user but no mechanism: set PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512"))
		}
	case sarama.SASLTypePlaintext, sarama.SASLTypeSCRAMSHA256, sarama.SASLTypeSCRAMSHA512:
		if cfg.SASL.User == "" || cfg.SASL.Password == "" {
			errs = append(errs, fmt.Errorf("SASL %s needs a user and a password", cfg.SASL.Mechanism))
		}
	default:
		errs = append(errs, fmt.Errorf("SASL mechanism %q: want PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512", cfg.SASL.Mechanism))
	}
	return errors.Join(errs...)
}

// sarama returns the sarama configuration that each connection copies. Request versions are negotiated per connection;
// Version is only the newest that this client can read.
func (cfg Config) sarama() *sarama.Config {
	conf := sarama.NewConfig()
	conf.Version = sarama.V3_7_0_0
	conf.ClientID = cfg.ClientID
	conf.MetricRegistry = noMetrics{}
	conf.Net.MaxOpenRequests = 1 // a conn sends one request at a time
	conf.Net.DialTimeout = cfg.DialTimeout
	conf.Net.WriteTimeout = cfg.RequestTimeout
	conf.Net.ReadTimeout = cfg.RequestTimeout
	if cfg.TLS != nil {
		conf.Net.TLS.Enable = true
		conf.Net.TLS.Config = cfg.TLS
	}
	if s := cfg.SASL; s.Mechanism != "" {
		conf.Net.SASL.Enable = true
		conf.Net.SASL.Mechanism = sarama.SASLMechanism(s.Mechanism)
		conf.Net.SASL.User = s.User
		conf.Net.SASL.Password = s.Password
		conf.Net.SASL.SCRAMClientGeneratorFunc = func() sarama.SCRAMClient { return newScram(s.Mechanism) }
	}
	return conf
}
