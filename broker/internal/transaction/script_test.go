package transaction_test

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/rio-streams/rio/broker/internal/transaction"
)

// TestScripts runs testdata/scripts. The processes in a script have names and share one transactional id. Each
// remembers its latest producer id and epoch and uses them unless the script sets others.
//
//	transaction id=x                     a new transactional id
//	init ana timeout=1m continues        continues: with its producer id and epoch, as after an error
//	add ana vendas/0 lojas/1             partitions
//	add-group ana g
//	write ana vendas/0 plain id=x        checks a write, and adds the partition if necessary. plain: outside of a transaction
//	offsets ana g                        the same with the offsets of a group
//	commit ana, abort ana
//	tick 5s                              advances the clock; then an overdue transaction times out
//	restart epoch=32765                  restores the saved state; epoch: with this epoch instead
//	describe, expired
//
// All commands of processes take: old, for the oldest version of the request; v2, for transaction.version=2; lost, if the
// response is lost; producer=7 and epoch=3, instead of the remembered ones.
func TestScripts(t *testing.T) {
	datadriven.Walk(t, "testdata/scripts", func(t *testing.T, path string) {
		s := &script{now: start}
		s.begin("t")
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			return s.run(request{t, d})
		})
	})
}

var start = time.Date(2026, 1, 1, 8, 0, 0, 0, time.UTC)

type script struct {
	*transaction.Transaction
	now    time.Time
	given  int64 // producer ids
	people map[string]transaction.Producer
	kept   transaction.Snapshot // what is saved
	out    strings.Builder
}

func (s *script) begin(id string) {
	s.given, s.people = 0, make(map[string]transaction.Producer)
	s.Transaction = transaction.New(id, s.newProducerID)
	s.kept = s.Snapshot()
}

func (s *script) newProducerID() int64 {
	s.given++
	return s.given
}

func (s *script) run(r request) string {
	before := s.Snapshot().State
	s.out.Reset()
	command, ok := commands[r.d.Cmd]
	if !ok {
		r.d.Fatalf(r.t, "unknown command %q", r.d.Cmd)
	}
	command(s, r)
	if now := s.Snapshot().State; now != before && r.d.Cmd != "transaction" {
		s.printf("%v -> %v", before, now)
	}
	if saved, ok := s.Unsaved(); ok {
		s.kept = saved
		s.kept.Partitions, s.kept.Groups = slices.Clone(saved.Partitions), slices.Clone(saved.Groups)
	}
	if s.out.Len() == 0 {
		return "ok\n"
	}
	return s.out.String()
}

func (s *script) printf(format string, args ...any) { fmt.Fprintf(&s.out, format+"\n", args...) }

var commands = map[string]func(*script, request){
	"transaction": func(s *script, r request) { s.begin(r.text("id", "t")) },
	"init":        (*script).init,
	"add": func(s *script, r request) {
		s.say(r, s.AddPartitions(s.now, s.producer(r), r.partitions(), r.dialect()))
	},
	"add-group": func(s *script, r request) {
		s.say(r, s.AddGroup(s.now, s.producer(r), r.names()[1], r.dialect()))
	},
	"write":   (*script).write,
	"offsets": (*script).offsets,
	"commit":  func(s *script, r request) { s.end(r, true) },
	"abort":   func(s *script, r request) { s.end(r, false) },
	"tick": func(s *script, r request) {
		s.now = s.now.Add(r.duration(r.d.CmdArgs[0].Key))
		s.show(s.TimeOut(s.now))
	},
	"restart": func(s *script, r request) {
		s.kept.Producer.Epoch = int16(r.number("epoch", int64(s.kept.Producer.Epoch)))
		s.Transaction = transaction.Restore(s.kept, s.newProducerID)
		for who, p := range s.people {
			s.people[who] = transaction.Producer{ID: p.ID, Epoch: int16(r.number("epoch", int64(p.Epoch)))}
		}
	},
	"describe": (*script).describe,
	"expired":  func(s *script, r request) { s.printf("%v", s.Expired(s.now)) },
}

func (s *script) init(r request) {
	expected := transaction.NoProducer
	if r.d.HasArg("continues") {
		expected = s.producer(r)
	}
	ending, err := s.Init(s.now, expected, r.duration(r.text("timeout", "1m")), r.dialect())
	s.show(ending)
	s.report(r, err)
}

func (s *script) end(r request, commit bool) {
	ending, err := s.End(s.now, s.producer(r), commit, r.dialect())
	s.show(ending)
	if r.dialect().Second {
		s.report(r, err)
	} else {
		s.say(r, err)
	}
}

func (s *script) write(r request) {
	p := s.producer(r)
	b := transaction.Batch{ID: r.text("id", "t"), Epoch: p.Epoch, Transactional: !r.d.HasArg("plain"), Partition: r.partitions()[0]}
	joins, err := s.MayWrite(b, r.dialect())
	if joins && err == nil {
		err = s.AddPartitions(s.now, p, r.partitions(), r.dialect())
	}
	s.say(r, err)
}

func (s *script) offsets(r request) {
	p, group := s.producer(r), r.names()[1]
	joins, err := s.MayCommit(p, group, r.dialect())
	if joins && err == nil {
		err = s.AddGroup(s.now, p, group, r.dialect())
	}
	s.say(r, err)
}

// producer is who a request says that it is.
func (s *script) producer(r request) transaction.Producer {
	p, ok := s.people[r.names()[0]]
	if !ok {
		p = transaction.NoProducer
	}
	return transaction.Producer{ID: r.number("producer", p.ID), Epoch: int16(r.number("epoch", int64(p.Epoch)))}
}

// report prints the producer id and the epoch.
func (s *script) report(r request, err error) {
	if err != nil {
		s.say(r, err)
		return
	}
	p, who := s.Producer(), r.names()[0]
	if r.d.HasArg("lost") {
		s.printf("%s does not hear: producer %d epoch %d", who, p.ID, p.Epoch)
		return
	}
	s.people[who] = p
	s.printf("%s: producer %d epoch %d", who, p.ID, p.Epoch)
}

func (s *script) say(r request, err error) { s.printf("%s: %s", r.names()[0], text(err)) }

// show prints the markers and offsets to write at the end of a transaction.
func (s *script) show(end transaction.Ending) {
	if len(end.Partitions)+len(end.Groups) == 0 {
		return
	}
	what := "abort"
	if end.Commit {
		what = "commit"
	}
	s.printf("%s of producer %d epoch %d: %s", what, end.Producer.ID, end.Producer.Epoch, content(end.Partitions, end.Groups))
}

func content(partitions []transaction.Partition, groups []string) string {
	var words []string
	for _, p := range partitions {
		words = append(words, fmt.Sprintf("%s/%d", topics[p.Topic], p.Partition))
	}
	for _, g := range groups {
		words = append(words, "group "+g)
	}
	return strings.Join(words, ", ")
}

func (s *script) describe(request) {
	d := s.Snapshot()
	s.printf("%v, producer %d epoch %d, timeout %v", d.State, d.Producer.ID, d.Producer.Epoch, time.Duration(d.Timeout)*time.Millisecond)
	if d.State == transaction.Ongoing {
		s.printf("  since %v: %s", s.now.Sub(time.UnixMilli(d.Started)), content(d.Partitions, d.Groups))
	}
}

func text(err error) string {
	if known := (*kerr.Error)(nil); errors.As(err, &known) {
		return known.Message
	}
	if err != nil {
		return err.Error()
	}
	return "ok"
}

// request is a line of a script.
type request struct {
	t *testing.T
	d *datadriven.TestData
}

// topics are known by their numbers.
var topics = []string{"vendas", "lojas", "fretes"}

var flags = []string{"continues", "plain", "old", "v2", "lost"}

// names returns who does it, and with what.
func (r request) names() []string {
	var names []string
	for _, arg := range r.d.CmdArgs {
		if len(arg.Vals) == 0 && !slices.Contains(flags, arg.Key) {
			names = append(names, arg.Key)
		}
	}
	return names
}

func (r request) partitions() []transaction.Partition {
	var list []transaction.Partition
	for _, name := range r.names()[1:] {
		topic, number, _ := strings.Cut(name, "/")
		i, n := slices.Index(topics, topic), r.parse(number)
		if i < 0 {
			r.d.Fatalf(r.t, "no topic %q", topic)
		}
		list = append(list, transaction.Partition{Topic: uint32(i), Partition: int32(n)})
	}
	return list
}

// dialect returns the dialect of current clients at transaction.version=1, unless the script sets another.
func (r request) dialect() transaction.Dialect {
	recent := !r.d.HasArg("old")
	return transaction.Dialect{KnowsFencing: recent, KnowsAbort: recent, Second: r.d.HasArg("v2")}
}

func (r request) text(key, otherwise string) string {
	for _, arg := range r.d.CmdArgs {
		if arg.Key == key && len(arg.Vals) > 0 {
			return arg.Vals[0]
		}
	}
	return otherwise
}

func (r request) number(key string, otherwise int64) int64 {
	return r.parse(r.text(key, strconv.FormatInt(otherwise, 10)))
}

func (r request) parse(number string) int64 {
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		r.d.Fatalf(r.t, "%v", err)
	}
	return n
}

func (r request) duration(text string) time.Duration {
	d, err := time.ParseDuration(text)
	if err != nil {
		r.d.Fatalf(r.t, "%v", err)
	}
	return d
}
