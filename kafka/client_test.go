package kafka

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	crand "crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestDialNobody(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	addr := l.Addr().String()
	l.Close() // the address is not used now
	began := time.Now()
	_, err = Dial(context.Background(), Config{Brokers: []string{addr}, DialTimeout: 100 * time.Millisecond})
	if !errors.Is(err, ErrNoBroker) || !strings.Contains(err.Error(), addr) || !strings.Contains(err.Error(), "is the broker running") {
		t.Errorf("Dial: %v; want ErrNoBroker, the address, and a hint", err)
	}
	if d := time.Since(began); d > 3*time.Second {
		t.Errorf("it took %v", d)
	}
}

func TestDialMutePeer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // accepts connections and never responds
	must(t, err)
	defer l.Close()
	if _, err := Dial(context.Background(), Config{Brokers: []string{l.Addr().String()}, DialTimeout: 100 * time.Millisecond}); !errors.Is(err, ErrNoBroker) {
		t.Errorf("Dial: %v, want ErrNoBroker", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if _, err := Dial(ctx, Config{Brokers: []string{l.Addr().String()}}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Dial: %v, want the error of its context", err)
	}
}

// An address that never responds does not prevent Dial from trying the others.
func TestDialPastADeadAddress(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0") // accepts connections and never responds
	must(t, err)
	defer l.Close()
	brokers := append([]string{l.Addr().String()}, fakeCluster(t).ListenAddrs()...)
	c, err := Dial(testContext(t), Config{Brokers: brokers, DialTimeout: 2 * time.Second})
	must(t, err)
	must(t, c.Close())
}

// Fetchers and producers continue when their broker is back with its data.
func TestBrokerRestarts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cluster := fakeCluster(t, kfake.DataDir(dir))
	addr := cluster.ListenAddrs()[0]
	_, port, err := net.SplitHostPort(addr)
	must(t, err)
	number, err := strconv.Atoi(port)
	must(t, err)

	c := dial(t, []string{addr})
	tp := TopicPartition{makeTopic(t, c, 1), 0}
	p := newProducer(t, c, ProducerConfig{TransactionalID: "t"})
	f := newFetcher(t, c, FetcherConfig{})
	f.Add(tp, 0)
	for i := range 3 {
		send(t, p, tp, fmt.Sprint(i))
		must(t, p.SendOffsets(testContext(t), GroupRef{Group: "g"}, map[TopicPartition]CommittedOffset{tp: {Offset: int64(i)}}))
		must(t, p.Commit(testContext(t)))
		if got := pollRecords(t, f, 1); string(got[0].Value) != fmt.Sprint(i) {
			t.Errorf("got %q, want %d", got[0].Value, i)
		}
		if got, err := c.CommittedOffsets(testContext(t), "g", nil); err != nil || got[tp].Offset != int64(i) {
			t.Errorf("committed: %v, %v; want %d", got, err, i)
		}
		cluster.Close()
		cluster = fakeCluster(t, kfake.DataDir(dir), kfake.Ports(number))
	}
}

func TestDialWaitsForABrokerThatStarts(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	dialed := make(chan error)
	go func() {
		c, err := Dial(context.Background(), Config{Brokers: []string{fmt.Sprintf("127.0.0.1:%d", port)}, DialTimeout: testTimeout})
		if err == nil {
			err = c.Close()
		}
		dialed <- err
	}()
	select {
	case err := <-dialed:
		t.Fatalf("Dial returned before there was a broker: %v", err)
	case <-time.After(20 * time.Millisecond):
	}
	fakeCluster(t, kfake.Ports(port))
	must(t, <-dialed)
}

func TestConfigMistakesAreToldAtOnce(t *testing.T) {
	_, err := Dial(context.Background(), Config{Brokers: []string{"localhost", ":1"}, SASL: SASL{Mechanism: "MAGIC"}})
	for _, want := range []string{`"localhost"`, `":1"`, `"MAGIC"`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not mention %s", err, want)
		}
	}
	if _, err := Dial(context.Background(), Config{SASL: SASL{Mechanism: "PLAIN", User: "ana"}}); err == nil || !strings.Contains(err.Error(), "password") {
		t.Errorf("no password: %v", err)
	}
}

func TestPrintedConfigHidesThePassword(t *testing.T) {
	cfg := Config{SASL: SASL{Mechanism: "PLAIN", User: "ana", Password: "segredo"}}
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		if s := fmt.Sprintf(format, cfg); strings.Contains(s, "segredo") || !strings.Contains(s, "ana") {
			t.Errorf("%s prints %s", format, s)
		}
	}
}

func TestSASL(t *testing.T) {
	t.Parallel()
	for _, mechanism := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
		t.Run(mechanism, func(t *testing.T) {
			cluster := fakeCluster(t, kfake.EnableSASL(), kfake.Superuser(mechanism, "joao=1", "pão de queijo"))
			c, err := Dial(testContext(t), Config{Brokers: cluster.ListenAddrs(), SASL: SASL{mechanism, "joao=1", "pão de queijo"}})
			must(t, err)
			defer c.Close()
			makeTopic(t, c, 1)

			// The fake cluster closes the connection if the password is wrong. Kafka returns an error.
			wrong := Config{Brokers: cluster.ListenAddrs(), SASL: SASL{mechanism, "joao=1", "wrong"}, DialTimeout: 100 * time.Millisecond}
			if _, err = Dial(testContext(t), wrong); err == nil || !strings.Contains(err.Error(), "password") {
				t.Errorf("wrong password: %v", err)
			}
			cluster.ControlKey(kmsg.SASLAuthenticate.Int16(), func(req kmsg.Request) (kmsg.Response, error, bool) {
				cluster.KeepControl() // the previous dial may make one more attempt first
				resp := req.ResponseKind().(*kmsg.SASLAuthenticateResponse)
				resp.ErrorCode = kerr.SaslAuthenticationFailed.Code
				return resp, nil, true
			})
			wrong.DialTimeout = 0 // the default; the test ends with the response, however slow the machine is
			if _, err = Dial(testContext(t), wrong); !errors.Is(err, ErrAuthentication) || !strings.Contains(err.Error(), "password") {
				t.Errorf("wrong password: %v", err)
			}
		})
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	certificate, roots := selfSigned(t)
	cluster := fakeCluster(t, kfake.TLS(&tls.Config{Certificates: []tls.Certificate{certificate}}))
	c, err := Dial(testContext(t), Config{Brokers: cluster.ListenAddrs(), TLS: &tls.Config{RootCAs: roots}})
	must(t, err)
	defer c.Close()
	tp := TopicPartition{makeTopic(t, c, 1), 0}
	p := newProducer(t, c, ProducerConfig{TransactionalID: "t"})
	send(t, p, tp, "a")
	must(t, p.Commit(testContext(t)))
	if values, _ := readToEnd(t, newFetcher(t, c, FetcherConfig{}), tp, 0); len(values) != 1 {
		t.Errorf("read %q", values)
	}
	_, err = Dial(testContext(t), Config{Brokers: cluster.ListenAddrs(), DialTimeout: 100 * time.Millisecond})
	if !errors.Is(err, ErrNoBroker) || !strings.Contains(err.Error(), "not TLS") {
		t.Errorf("plain TCP to a TLS port: %v", err)
	}
}

func selfSigned(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), crand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(crand.Reader, template, template, &key.PublicKey, key)
	must(t, err)
	parsed, err := x509.ParseCertificate(der)
	must(t, err)
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}

func TestCloseEndsEverything(t *testing.T) {
	cluster, w := wiredCluster(t)
	c := dial(t, cluster.ListenAddrs())
	w.keepSilent(kmsg.ListOffsets, true)
	topic := makeTopic(t, c, 1)
	var work sync.WaitGroup
	began := make(chan struct{}, 4)
	for range 4 {
		work.Go(func() {
			began <- struct{}{}
			if _, err := c.Offsets(context.Background(), []TopicPartition{{topic, 0}}, Latest); !errors.Is(err, ErrClosed) {
				t.Errorf("Offsets: %v, want ErrClosed", err)
			}
		})
	}
	for range 4 {
		<-began
	}
	must(t, c.Close())
	work.Wait()
	if _, err := c.Topics(context.Background()); !errors.Is(err, ErrClosed) {
		t.Errorf("Topics after Close: %v, want ErrClosed", err)
	}
	if _, err := c.NewProducer(context.Background(), ProducerConfig{}); !errors.Is(err, ErrClosed) {
		t.Errorf("NewProducer after Close: %v, want ErrClosed", err)
	}
}

// A canceled request does not affect later requests on the same connection.
func TestGivenUpRequests(t *testing.T) {
	c := dial(t, fakeCluster(t).ListenAddrs())
	topic := makeTopic(t, c, 1)
	var work sync.WaitGroup
	for i := range 8 {
		work.Go(func() {
			for j := range 20 {
				ctx, cancel := context.WithTimeout(context.Background(), time.Duration(i*j)*10*time.Microsecond)
				if _, err := c.Offsets(ctx, []TopicPartition{{topic, 0}}, Latest); err != nil && !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("with little time: %v", err)
				}
				cancel()
				if _, err := c.Offsets(testContext(t), []TopicPartition{{topic, 0}}, Latest); err != nil {
					t.Errorf("with enough time: %v", err)
				}
			}
		})
	}
	work.Wait()
}

// The exchange of RFC 7677, section 3.
func TestScramVectors(t *testing.T) {
	s := newScram("SCRAM-SHA-256")
	s.nonce = "rOprNGfwEbeRWgbNEkqO"
	must(t, s.Begin("user", "pencil", ""))
	for _, step := range []struct{ challenge, want string }{
		{"", "n,,n=user,r=rOprNGfwEbeRWgbNEkqO"},
		{
			"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
			"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
		},
		{"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", ""},
	} {
		got, err := s.Step(step.challenge)
		if err != nil || got != step.want {
			t.Errorf("to %q: %q, %v; want %q", step.challenge, got, err, step.want)
		}
	}
	if !s.Done() {
		t.Error("not done")
	}
}

func TestScramRefusesAServerThatDoesNotKnowThePassword(t *testing.T) {
	for _, answers := range [][]string{
		{"r=other,s=W22Z,i=4096"},
		{"r=nonce,s=W22Z,i=4096"},
		{"r=nonce1,s=W22Z,i=0"},
		{"r=nonce1,s=?,i=4096"},
		{"r=nonce1,s=W22Z,i=4096", "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="},
		{"r=nonce1,s=W22Z,i=4096", "e=invalid-proof"},
		{"r=nonce1,s=W22Z,i=4096", ""},
	} {
		s := newScram("SCRAM-SHA-512")
		s.nonce = "nonce"
		must(t, s.Begin("user", "pencil", ""))
		_, err := s.Step("")
		for _, answer := range answers {
			must(t, err)
			_, err = s.Step(answer)
		}
		if err == nil {
			t.Errorf("accepted %q", answers)
		}
	}
}

// Proves: partition-of-java-clients
func TestPartitionIsThatOfTheJavaClients(t *testing.T) {
	// From org.apache.kafka.common.utils.UtilsTest.testMurmur2: "21" hashes to -973932308.
	if got := Partition([]byte("21"), 7); got != int32((-973932308&0x7fffffff)%7) {
		t.Errorf("Partition = %d", got)
	}
}

func FuzzScram(f *testing.F) {
	f.Add("r=nonce1,s=W22Z,i=1", "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")
	f.Add("i=-1,s==,r", "e=")
	f.Fuzz(func(t *testing.T, first, final string) {
		if fields := scramFields(first); len(fields["i"]) > 3 {
			return // responds slowly
		}
		s := newScram("SCRAM-SHA-256")
		s.nonce = "nonce"
		must(t, s.Begin("user", "pencil", ""))
		if _, err := s.Step(""); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Step(first); err != nil {
			return
		}
		if _, err := s.Step(final); err == nil {
			t.Errorf("trusted a server that does not know the password: %q, %q", first, final)
		}
	})
}
