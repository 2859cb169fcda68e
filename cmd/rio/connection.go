package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/pflag"

	"github.com/rio-streams/rio/internal/similar"
	"github.com/rio-streams/rio/kafka"
)

// connection holds the flags for connecting to the cluster, which all commands have.
type connection struct {
	brokers   []string
	tls       bool
	tlsCA     string
	mechanism string
	user      string
	timeout   time.Duration
}

// The password is not a flag: other users of the machine can see command lines.
const (
	brokersVariable  = "RIO_BROKERS"
	passwordVariable = "RIO_PASSWORD"
)

const defaultAddress = "127.0.0.1:9092"

func (c *connection) flags(flags *pflag.FlagSet) {
	brokers := cmp.Or(os.Getenv(brokersVariable), defaultAddress)
	flags.StringSliceVar(&c.brokers, "brokers", []string{brokers}, "`addresses` of the cluster, host:port,host:port (environment: "+brokersVariable+")")
	flags.BoolVar(&c.tls, "tls", false, "encrypt the connections")
	flags.StringVar(&c.tlsCA, "tls-ca", "", "PEM `file` of the certificate authorities to trust instead of the system's; implies --tls")
	flags.StringVar(&c.mechanism, "sasl-mechanism", "", "PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512")
	flags.StringVar(&c.user, "user", "", "`name` for SASL; the password is read from the environment: "+passwordVariable)
	flags.DurationVar(&c.timeout, "timeout", defaultTimeout, "how long to retry before giving up; to reach a first broker, half of it")
}

const defaultTimeout = 10 * time.Second

func (c *connection) config() (kafka.Config, error) {
	if c.timeout <= 0 {
		return kafka.Config{}, usagef("--timeout is %v: want more than 0", c.timeout)
	}
	cfg := kafka.Config{ClientID: "rio-cli", DialTimeout: c.timeout / 2, RetryTimeout: c.timeout}
	for _, addr := range c.brokers {
		cfg.Brokers = append(cfg.Brokers, splitList(addr)...)
	}
	cfg.SASL = kafka.SASL{Mechanism: c.mechanism, User: c.user}
	if c.mechanism != "" || c.user != "" {
		cfg.SASL.Password = os.Getenv(passwordVariable)
		if cfg.SASL.Password == "" {
			return cfg, fmt.Errorf("no password for SASL: set the environment variable %s", passwordVariable)
		}
	}
	if c.tls || c.tlsCA != "" {
		cfg.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	if c.tlsCA != "" {
		pem, err := os.ReadFile(c.tlsCA)
		if err != nil {
			return cfg, fmt.Errorf("--tls-ca: %w", err)
		}
		cfg.TLS.RootCAs = x509.NewCertPool()
		if !cfg.TLS.RootCAs.AppendCertsFromPEM(pem) {
			return cfg, fmt.Errorf("--tls-ca: %s holds no PEM certificate", c.tlsCA)
		}
	}
	return cfg, nil
}

// with calls do with a client connected to the cluster.
func (c *connection) with(ctx context.Context, do func(*kafka.Client) error) (err error) {
	cfg, err := c.config()
	if err != nil {
		return err
	}
	client, err := kafka.Dial(ctx, cfg)
	if err != nil {
		if errors.Is(err, kafka.ErrNoBroker) {
			err = fmt.Errorf("%w Set its address with --brokers or %s; rio broker starts a broker on this machine", err, brokersVariable)
		}
		return err
	}
	defer func() { err = errors.Join(err, client.Close()) }()
	return do(client)
}

// findTopic returns a topic, or an error that says what to do if it does not exist.
func findTopic(ctx context.Context, client *kafka.Client, name string) (kafka.Topic, error) {
	topics, err := client.DescribeTopics(ctx, name)
	if err != nil {
		return kafka.Topic{}, err
	}
	if len(topics) == 0 {
		hint, err := likeTopic(ctx, client, name)
		if err != nil {
			return kafka.Topic{}, err
		}
		return kafka.Topic{}, fmt.Errorf("there is no topic %s%s; rio topics list shows the existing topics, rio topics create %s creates it", name, hint, name)
	}
	return topics[0], nil
}

// likeTopic returns a hint that lists topics with similar names.
func likeTopic(ctx context.Context, client *kafka.Client, name string) (string, error) {
	topics, err := client.Topics(ctx)
	if err != nil {
		return "", err
	}
	var names []string
	for _, t := range topics {
		names = append(names, t.Name)
	}
	return similar.Hint(name, names), nil
}

func partitionsOf(topic kafka.Topic) []kafka.TopicPartition {
	var tps []kafka.TopicPartition
	for _, p := range topic.Partitions {
		tps = append(tps, kafka.TopicPartition{Topic: topic.Name, Partition: p.Partition})
	}
	return tps
}
