package broker_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/rio-streams/rio/broker"
	"github.com/rio-streams/rio/kafka"
	"github.com/rio-streams/rio/metrics"
)

func TestWhoLogsInMayDoEverything(t *testing.T) {
	b := start(t, broker.Config{Users: map[string]string{"joão": "pão de queijo", "ana": "1234"}})
	for _, mechanism := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
		client, err := kafka.Dial(t.Context(), kafka.Config{
			Brokers: []string{b.Addr()}, SASL: kafka.SASL{Mechanism: mechanism, User: "joão", Password: "pão de queijo"},
		})
		if err != nil {
			t.Fatalf("%s: %v", mechanism, err)
		}
		if _, err := client.Topics(t.Context()); err != nil {
			t.Errorf("%s: %v", mechanism, err)
		}
		client.Close()
	}
}

func TestWhoDoesNotLogInMayDoNothing(t *testing.T) {
	var log bytes.Buffer
	b := start(t, broker.Config{Users: map[string]string{"ana": "1234"}, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	for _, mechanism := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
		for _, user := range []string{"ana", "nobody"} {
			_, err := kafka.Dial(t.Context(), kafka.Config{
				Brokers: []string{b.Addr()}, SASL: kafka.SASL{Mechanism: mechanism, User: user, Password: "wrong"},
			})
			if !errors.Is(err, kafka.ErrAuthentication) {
				t.Errorf("%s, %s with a wrong password: %v", mechanism, user, err)
			}
		}
	}
	stranger, err := kafka.Dial(t.Context(), kafka.Config{Brokers: []string{b.Addr()}, DialTimeout: 100 * time.Millisecond, RetryTimeout: 300 * time.Millisecond})
	if err == nil {
		stranger.Close()
		t.Error("a client that does not log in is served")
	}
	failed := 0.0
	b.Metrics().Collect(func(s metrics.Sample) {
		if s.Metric == metrics.BrokerFailedLogins {
			failed = s.Value
		}
	})
	if failed < 7 {
		t.Errorf("%v failed logins are counted, want at least 7", failed)
	}
	closed(t, b)
	if n := strings.Count(log.String(), "broker: login failed"); n != 1 {
		t.Errorf("the log has %d failed logins, want one in a minute:\n%s", n, log.String())
	}
}

func TestTLS(t *testing.T) {
	certificate, roots := selfSigned(t)
	b := start(t, broker.Config{TLS: &tls.Config{Certificates: []tls.Certificate{certificate}}})
	client, err := kafka.Dial(t.Context(), kafka.Config{Brokers: []string{b.Addr()}, TLS: &tls.Config{RootCAs: roots}})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.CreateTopics(t.Context(), kafka.TopicSpec{Name: "t", Partitions: 1}); err != nil {
		t.Fatal(err)
	}
}

func TestMistakesOfSecurityAreToldAtOnce(t *testing.T) {
	_, err := broker.Start(broker.Config{TLS: &tls.Config{}, Durability: "paper"})
	mustSay(t, err, "TLS needs a certificate", `Durability is "paper"`)
	_, err = broker.Start(broker.Config{Users: map[string]string{"ana": ""}})
	mustSay(t, err, "Users", "ana")
}

func selfSigned(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}
