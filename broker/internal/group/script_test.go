package group_test

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/rio-streams/rio/broker/internal/group"
)

// TestScripts runs testdata/scripts. The clients in a script have names. Each remembers its latest member id and
// generation and uses them unless the script sets others. The responses that a command causes, to any client, are
// listed below it.
//
//	group initial-delay=3s max-size=2 min-session=1s max-session=1m    a new group, for the defaults see below
//	join ana bea session=10s rebalance=1m protocols=(range,sticky) metadata=x instance=i type=consumer id=x require-id skip-assignment
//	sync ana bea generation=1 id=x type=consumer protocol=range        the next line has the assignments, like ana=p0 bea=p1
//	heartbeat ana bea generation=1 id=x
//	leave ana bea id=x instance=i
//	commit ana generation=1 id=x transactional                         without a name: without a member
//	tick 5s                                                            advances the clock, with a tick at every deadline
//	late-tick 5s                                                       advances the clock, with one tick at the end
//	group-limit 1                                                      the maximum size from the next restart on
//	restart                                                            restores the last snapshot, which is taken after every command
//	describe, deadline, empty-since, subscribed a b, delete, shutdown
func TestScripts(t *testing.T) {
	datadriven.Walk(t, "testdata/scripts", func(t *testing.T, path string) {
		s := &script{now: start}
		s.found(group.Config{})
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			return s.run(t, d)
		})
	})
}

var start = time.Date(2026, 1, 1, 8, 0, 0, 0, time.UTC)

type script struct {
	*group.Group
	cfg    group.Config
	now    time.Time
	people map[string]*person
	ids    map[string]int // number of member ids given, by client id
	kept   []byte         // the latest snapshot
	out    strings.Builder
}

type person struct {
	name, id, instance string
	generation         int32
}

func (s *script) found(cfg group.Config) {
	s.cfg, s.people, s.ids = cfg, make(map[string]*person), make(map[string]int)
	s.Group = group.New("g", cfg, s.newMemberID)
	s.kept = s.Snapshot().Append(nil)
}

func (s *script) newMemberID(clientID string) string {
	s.ids[clientID]++
	return fmt.Sprintf("%s-%d", clientID, s.ids[clientID])
}

func (s *script) run(t *testing.T, d *datadriven.TestData) string {
	before := s.State()
	s.out.Reset()
	command, ok := commands[d.Cmd]
	if !ok {
		d.Fatalf(t, "unknown command %q", d.Cmd)
	}
	if err := command(s, request{t, d}); err != nil {
		s.printf("%s", text(err))
	}
	if now := s.State(); now != before && d.Cmd != "group" {
		s.printf("%v -> %v", before, now)
	}
	if s.Changed() {
		s.kept = s.Snapshot().Append(nil)
		s.printf("the snapshot has changed")
	}
	if s.out.Len() == 0 {
		return "ok\n"
	}
	return s.out.String()
}

func (s *script) printf(format string, args ...any) { fmt.Fprintf(&s.out, format+"\n", args...) }

var commands = map[string]func(*script, request) error{
	"group": func(s *script, r request) error {
		size, _ := strconv.Atoi(r.text("max-size", "0"))
		s.found(group.Config{
			MinSession: r.duration("min-session", 0), MaxSession: r.duration("max-session", 0),
			InitialDelay: r.duration("initial-delay", 0), MaxSize: size,
		})
		return nil
	},
	"join":      func(s *script, r request) error { return s.each(r, s.join) },
	"sync":      func(s *script, r request) error { return s.each(r, s.sync) },
	"heartbeat": func(s *script, r request) error { return s.each(r, s.heartbeat) },
	"leave":     (*script).leave,
	"commit":    (*script).commit,
	"tick":      (*script).tick,
	"late-tick": func(s *script, r request) error {
		s.now = s.now.Add(r.firstDuration())
		s.Tick(s.now)
		return nil
	},
	"deadline": func(s *script, _ request) error {
		if at, ok := s.Deadline(); ok {
			s.printf("in %v", at.Sub(s.now))
		} else {
			s.printf("none")
		}
		return nil
	},
	"restart": func(s *script, r request) error {
		kept, err := group.ParseSnapshot(s.kept)
		if err != nil {
			return err
		}
		s.Group = group.Restore("g", s.cfg, s.newMemberID, kept, s.now)
		return nil
	},
	"group-limit": func(s *script, r request) (err error) {
		s.cfg.MaxSize, err = strconv.Atoi(r.d.CmdArgs[0].Key)
		return err
	},
	"describe": (*script).describe,
	"empty-since": func(s *script, _ request) error {
		at, ok := s.EmptySince()
		switch {
		case !ok:
			s.printf("not empty")
		case at.IsZero():
			s.printf("ever")
		default:
			s.printf("%v ago", s.now.Sub(at))
		}
		return nil
	},
	"subscribed": func(s *script, r request) error {
		for _, topic := range r.names() {
			s.printf("%s: %v", topic, s.Subscribed(topic))
		}
		return nil
	},
	"delete": func(s *script, _ request) error { return s.Delete() },
	"shutdown": func(s *script, _ request) error {
		s.Shutdown(errors.New("the broker closes"))
		return nil
	},
}

func (s *script) each(r request, do func(request, *person)) error {
	for _, name := range r.names() {
		do(r, s.person(name))
	}
	return nil
}

func (s *script) person(name string) *person {
	p := s.people[name]
	if p == nil {
		p = &person{name: name, generation: -1}
		s.people[name] = p
	}
	return p
}

func (s *script) join(r request, p *person) {
	p.instance = r.text("instance", p.instance)
	join := group.JoinRequest{
		MemberID: r.id(p), InstanceID: p.instance, ClientID: p.name, ClientHost: "/127.0.0.1",
		SessionTimeout: r.duration("session", 10*time.Second), RebalanceTimeout: r.duration("rebalance", time.Minute),
		ProtocolType:    r.text("type", "consumer"),
		RequireMemberID: r.d.HasArg("require-id"), SupportsSkippingAssignment: r.d.HasArg("skip-assignment"),
	}
	for _, protocol := range strings.FieldsFunc(r.text("protocols", "range"), isComma) {
		join.Protocols = append(join.Protocols, group.Protocol{Name: protocol, Metadata: metadata(r.text("metadata", p.name))})
	}
	s.Join(s.now, join, func(reply group.JoinReply) {
		p.joined(reply)
		s.printf("%s joins: %s", p.name, showJoin(reply))
	})
}

func isComma(r rune) bool { return r == ',' }

// metadata makes a subscription from a text such as topics:a+b. Other texts are used as they are.
func metadata(text string) []byte {
	topics, ok := strings.CutPrefix(text, "topics:")
	if !ok {
		return []byte(text)
	}
	names := strings.Split(topics, "+")
	b := []byte{0, 3, 0, 0, 0, byte(len(names))}
	for _, name := range names {
		b = append(append(b, 0, byte(len(name))), name...)
	}
	return append(b, "whatever later versions say"...)
}

func (p *person) joined(reply group.JoinReply) {
	switch reply.Err {
	case nil:
		p.id, p.generation = reply.MemberID, reply.Generation
	case kerr.MemberIDRequired:
		p.id = reply.MemberID
	case kerr.UnknownMemberID:
		p.id, p.generation = "", -1
	}
}

func showJoin(r group.JoinReply) string {
	if r.Err != nil {
		return strings.TrimSpace(text(r.Err) + " " + r.MemberID)
	}
	line := fmt.Sprintf("generation %d as %s, leader %s, %s %s", r.Generation, r.MemberID, r.Leader, r.ProtocolType, r.Protocol)
	for _, m := range r.Members {
		line += fmt.Sprintf("\n  %s%s %q", m.MemberID, showInstance(m.InstanceID), m.Metadata)
	}
	if r.SkipAssignment {
		line += "\n  does not assign"
	}
	return line
}

func showInstance(id string) string {
	if id == "" {
		return ""
	}
	return " instance " + id
}

func (s *script) sync(r request, p *person) {
	sync := group.SyncRequest{
		MemberID: r.id(p), InstanceID: p.instance, Generation: r.generation(p),
		ProtocolType: r.text("type", ""), Protocol: r.text("protocol", ""), Assignments: make(map[string][]byte),
	}
	for _, word := range strings.Fields(r.d.Input) {
		who, what, _ := strings.Cut(word, "=")
		sync.Assignments[s.person(who).id] = []byte(what)
	}
	s.Sync(s.now, sync, func(reply group.SyncReply) {
		if reply.Err != nil {
			s.printf("%s syncs: %s", p.name, text(reply.Err))
			return
		}
		s.printf("%s syncs: %q, %s %s", p.name, reply.Assignment, reply.ProtocolType, reply.Protocol)
	})
}

func (s *script) heartbeat(r request, p *person) {
	s.printf("%s: %s", p.name, text(s.Heartbeat(s.now, r.id(p), p.instance, r.generation(p))))
}

func (s *script) leave(r request) error {
	var leaving []group.LeaveMember
	names := r.names()
	for _, name := range names {
		p := s.person(name)
		leaving = append(leaving, group.LeaveMember{MemberID: r.id(p), InstanceID: r.text("instance", p.instance)})
	}
	for i, err := range s.Leave(s.now, leaving) {
		s.printf("%s leaves: %s", names[i], text(err))
	}
	return nil
}

func (s *script) commit(r request) error {
	p := &person{name: "somebody", generation: -1}
	if names := r.names(); len(names) > 0 {
		p = s.person(names[0])
	}
	err := s.MayCommit(s.now, r.id(p), p.instance, r.generation(p), r.d.HasArg("transactional"))
	s.printf("%s: %s", p.name, text(err))
	return nil
}

func (s *script) tick(r request) error {
	end := s.now.Add(r.firstDuration())
	for {
		at, ok := s.Deadline()
		if !ok || at.After(end) {
			break
		}
		s.printf("after %v:", at.Sub(end)+r.firstDuration())
		s.now = at
		s.Tick(s.now)
	}
	s.now = end
	return nil
}

func (s *script) describe(request) error {
	d := s.Describe()
	s.printf("%s", strings.TrimSpace(fmt.Sprintln(d.State, d.ProtocolType, d.Protocol)))
	for _, m := range d.Members {
		s.printf("  %s%s of %s%s metadata %q assignment %q", m.MemberID, showInstance(m.InstanceID), m.ClientID, m.ClientHost, m.Metadata, m.Assignment)
	}
	return nil
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

var flags = map[string]bool{"require-id": true, "skip-assignment": true, "transactional": true}

// names returns the arguments that name clients or topics.
func (r request) names() []string {
	var names []string
	for _, arg := range r.d.CmdArgs {
		if len(arg.Vals) == 0 && !flags[arg.Key] {
			names = append(names, arg.Key)
		}
	}
	return names
}

// text returns the value of an argument; "none" means an empty one.
func (r request) text(key, otherwise string) string {
	for _, arg := range r.d.CmdArgs {
		if arg.Key == key && len(arg.Vals) > 0 {
			otherwise = strings.Join(arg.Vals, ",")
		}
	}
	if otherwise == "none" {
		return ""
	}
	return otherwise
}

func (r request) duration(key string, otherwise time.Duration) time.Duration {
	d, err := time.ParseDuration(r.text(key, otherwise.String()))
	if err != nil {
		r.d.Fatalf(r.t, "%s: %v", key, err)
	}
	return d
}

func (r request) firstDuration() time.Duration {
	d, err := time.ParseDuration(r.d.CmdArgs[0].Key)
	if err != nil {
		r.d.Fatalf(r.t, "%v", err)
	}
	return d
}

func (r request) id(p *person) string { return r.text("id", p.id) }

func (r request) generation(p *person) int32 {
	n, err := strconv.ParseInt(r.text("generation", strconv.Itoa(int(p.generation))), 10, 32)
	if err != nil {
		r.d.Fatalf(r.t, "%v", err)
	}
	return int32(n)
}
