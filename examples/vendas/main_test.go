package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rio-streams/rio/broker"
	"github.com/rio-streams/rio/kafka"
)

const fiveLines = `comercial/0 at 0: sale 50001 of ana.silva, 120.50, PIX
comercial/0 at 1: sale 50002 of joao.souza, 80.00, Crédito
comercial/0 at 2: sale 50003 of maria.lima, 230.90, Débito
comercial/0 at 3: sale 50004 of carlos.pereira, 45.75, Dinheiro
comercial/0 at 4: sale 50005 of lucas.almeida, 150.00, PIX
`

const onceBySeller = `
vendas-por-vendedor
  ana.silva       1     120.50
  carlos.pereira  1      45.75
  joao.souza      1      80.00
  lucas.almeida   1     150.00
  maria.lima      1     230.90

vendas-por-pagamento
  Crédito   1      80.00
  Dinheiro  1      45.75
  Débito    1     230.90
  PIX       2     270.50

vendas-por-hora
  (hour) ana.silva       1     120.50
  (hour) carlos.pereira  1      45.75
  (hour) joao.souza      1      80.00
  (hour) lucas.almeida   1     150.00
  (hour) maria.lima      1     230.90
`

// vendas runs the program and returns its output without the hours, which depend on the time of the test.
func vendas(t *testing.T, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var out bytes.Buffer
	err := run(ctx, args, &out)
	return regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:00 UTC`).ReplaceAllString(out.String(), "(hour)"), err
}

func mustPrint(t *testing.T, want string, args ...string) {
	t.Helper()
	got, err := vendas(t, args...)
	if err != nil {
		t.Fatalf("vendas %s: %v", strings.Join(args, " "), err)
	}
	if got != want {
		t.Errorf("vendas %s prints\n%s\nwant\n%s", strings.Join(args, " "), got, want)
	}
}

func TestAllAtOnce(t *testing.T) {
	t.Parallel()
	mustPrint(t, "sent 5 sales to comercial\n"+fiveLines+onceBySeller)
}

func TestOneByOne(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	mustPrint(t, "sent 5 sales to comercial\n", "-data", data, "-produce")
	mustPrint(t, fiveLines, "-data", data, "-consume")
	mustPrint(t, "", "-data", data, "-consume") // the group has read them
	mustPrint(t, onceBySeller, "-data", data, "-totals")
	mustPrint(t, onceBySeller, "-data", data, "-totals") // no sale counts twice
}

// TestFollow: a consumer with -follow ends when it is interrupted. It has committed the sales that it printed, so the next
// consumer does not print them again.
func TestFollow(t *testing.T) {
	data := t.TempDir()
	mustPrint(t, "sent 5 sales to comercial\n", "-data", data, "-produce")

	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	read, write := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, []string{"-data", data, "-consume", "-follow"}, write) }()
	lines := bufio.NewScanner(read)
	for _, want := range strings.Split(strings.TrimSpace(fiveLines), "\n") {
		if !lines.Scan() || lines.Text() != want {
			t.Fatalf("printed %q, want %q", lines.Text(), want)
		}
	}
	interrupt()
	if err := <-ended; err != nil {
		t.Errorf("interrupted: error %v, want nil", err)
	}
	mustPrint(t, "", "-data", data, "-consume")
}

func TestBrokenSaleInTheTopic(t *testing.T) {
	t.Parallel()
	b, err := broker.Start(broker.Config{DataDir: filepath.Join(t.TempDir(), "log")})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	client, err := kafka.Dial(t.Context(), kafka.Config{Brokers: []string{b.Addr()}})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	send(t, client, `{"vendaId": "1", `)

	state := t.TempDir()
	if out, err := vendas(t, "-brokers", b.Addr(), "-data", state); err == nil || !strings.Contains(err.Error(), "comercial/0 at 0: codec: json[main.Sale]: unexpected end of JSON input") {
		t.Errorf("by default: printed %q, error %v; want an error for the broken sale", out, err)
	}
	if out, err := vendas(t, "-brokers", b.Addr(), "-data", state, "-totals"); err == nil || !strings.Contains(err.Error(), "decode comercial/0 at 0: value: codec: json[main.Sale]: unexpected end of JSON input") {
		t.Errorf("by default: totals %q, error %v; want an error for the broken sale", out, err)
	}
	mustPrint(t, "comercial/0 at 0: not a sale: codec: json[main.Sale]: unexpected end of JSON input\n"+shifted(fiveLines),
		"-brokers", b.Addr(), "-data", state, "-consume", "-on-error", "skip")
	mustPrint(t, "\nrecords left out: 1 dead-lettered (decode)\n"+onceBySeller, "-brokers", b.Addr(), "-data", state, "-totals", "-on-error", "dead-letter")

	ends, err := client.Offsets(t.Context(), []kafka.TopicPartition{{Topic: deadLetters}}, kafka.LatestStable)
	if err != nil {
		t.Fatal(err)
	}
	if n := ends[kafka.TopicPartition{Topic: deadLetters}]; n == 0 {
		t.Errorf("%s is empty, want the broken sale", deadLetters)
	}
}

// shifted returns the lines with offsets increased by one.
func shifted(lines string) string {
	return strings.NewReplacer("at 0:", "at 1:", "at 1:", "at 2:", "at 2:", "at 3:", "at 3:", "at 4:", "at 4:", "at 5:").Replace(lines)
}

func send(t *testing.T, client *kafka.Client, value string) {
	t.Helper()
	if _, err := prepareTopic(t.Context(), client); err != nil {
		t.Fatal(err)
	}
	p, err := client.NewProducer(t.Context(), kafka.ProducerConfig{})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if err := p.Send(Sales.Name(), 0, kafka.Record{Value: []byte(value)}); err != nil {
		t.Fatal(err)
	}
	if err := p.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestMistakesOnTheCommandLine(t *testing.T) {
	for args, want := range map[string]string{
		"-produce":                              "need -brokers or -data",
		"-follow":                               "-follow goes with -consume or with -totals",
		"-data x -consume -totals -follow":      "-follow goes with -consume or with -totals",
		"agora":                                 `unknown argument "agora"`,
		"-on-error panic":                       "use fail, skip or dead-letter",
		"-assignors roundrobin":                 `unknown assignor "roundrobin": use cooperative-sticky, range or both`,
		"-brokers nowhere -produce":             "want host:port",
		"-brokers 127.0.0.1:1, -data x -totals": `broker address ""`,
	} {
		if _, err := vendas(t, strings.Fields(args)...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("vendas %s: error %v, want %q", args, err, want)
		}
	}
}
