package group_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/twmb/franz-go/pkg/kerr"
	"pgregory.net/rapid"

	"github.com/rio-streams/rio/broker/internal/group"
)

// TestAnythingMayHappen lets a few clients join, leave, lose their ids, use wrong generations, and send any request at
// any time. Every request gets exactly one response, every generation has one leader, and every member of a stable
// group has an assignment of its generation. When no client sends requests any more, the group becomes empty by itself.
func TestAnythingMayHappen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := found(t)
		t.Repeat(map[string]func(*rapid.T){
			"go on":     c.goOn,
			"join":      c.any(c.join),
			"sync":      c.any(c.sync),
			"heartbeat": c.any(c.heartbeat),
			"commit":    c.commit,
			"leave":     c.leave,
			"tick":      c.tick,
			"restart":   c.restart,
			"":          c.check,
		})
		if rapid.Bool().Draw(t, "shutdown") {
			c.Shutdown(errors.New("closed"))
		}
		c.fallSilent(t)
	})
}

// crowd is a group and all clients that have ever sent it a request.
type crowd struct {
	*group.Group
	cfg     group.Config
	now     time.Time
	given   int // member ids
	clients []*client
	waiting map[*answer]bool
	rosters map[int32]group.JoinReply // members as sent to the leader of a generation
	kept    []byte
}

type client struct {
	name, instance, id string
	generation         int32
	next               func(*rapid.T, *client) // the next step of a correct client; nil while it waits
}

// answer is a request that must get exactly one response.
type answer struct {
	to    string
	times int
}

func found(t *rapid.T) *crowd {
	c := &crowd{now: start, waiting: make(map[*answer]bool), rosters: make(map[int32]group.JoinReply)}
	for i, instance := range []string{"", "", "", "one", "one", "two"} {
		c.clients = append(c.clients, &client{name: fmt.Sprint("client", i), instance: instance, generation: -1, next: c.join})
	}
	c.cfg = group.Config{
		MaxSize:      rapid.SampledFrom([]int{0, 2, 3}).Draw(t, "max-size"),
		InitialDelay: rapid.SampledFrom([]time.Duration{0, 3 * time.Second}).Draw(t, "initial-delay"),
	}
	c.Group = group.New("g", c.cfg, c.newMemberID)
	c.kept = c.Snapshot().Append(nil)
	return c
}

func (c *crowd) newMemberID(clientID string) string {
	c.given++
	return fmt.Sprint(clientID, "-", c.given)
}

func (c *crowd) someone(t *rapid.T) *client { return rapid.SampledFrom(c.clients).Draw(t, "client") }

func (c *crowd) any(do func(*rapid.T, *client)) func(*rapid.T) {
	return func(t *rapid.T) { do(t, c.someone(t)) }
}

// goOn lets some clients follow the protocol. Otherwise the group would seldom become stable.
func (c *crowd) goOn(t *rapid.T) {
	for range rapid.IntRange(1, 5).Draw(t, "how many") {
		if who := c.someone(t); who.next != nil {
			who.next(t, who)
		}
	}
}

func (c *crowd) expect(t *rapid.T, to string) (answered func()) {
	a := &answer{to: to}
	c.waiting[a] = true
	return func() {
		if a.times++; a.times > 1 {
			t.Fatalf("%s got %d responses", a.to, a.times)
		}
		delete(c.waiting, a)
	}
}

func (c *crowd) join(t *rapid.T, who *client) {
	r := group.JoinRequest{
		MemberID: who.id, InstanceID: who.instance, ClientID: who.name, ProtocolType: "consumer",
		SessionTimeout:             seconds(5, 20).Draw(t, "session"),
		RebalanceTimeout:           seconds(5, 30).Draw(t, "rebalance"),
		RequireMemberID:            rapid.Bool().Draw(t, "require-id"),
		SupportsSkippingAssignment: rapid.Bool().Draw(t, "skip-assignment"),
	}
	if rapid.IntRange(0, 4).Draw(t, "forgets") == 0 {
		r.MemberID = ""
	}
	names := rapid.SampledFrom([]string{"range sticky", "sticky range", "range", "sticky"}).Draw(t, "protocols")
	for _, name := range strings.Fields(names) {
		metadata := rapid.SampledFrom([]string{"", "news"}).Draw(t, "metadata")
		r.Protocols = append(r.Protocols, group.Protocol{Name: name, Metadata: []byte(metadata)})
	}
	who.next = nil
	answered := c.expect(t, "the join of "+who.name)
	c.Join(c.now, r, func(reply group.JoinReply) {
		answered()
		who.hear(reply.Err, c.sync, c.join)
		if reply.Err == nil || reply.Err == kerr.MemberIDRequired {
			who.id, who.generation = reply.MemberID, reply.Generation
		}
		c.hear(t, reply)
	})
}

func (who *client) hear(err error, next, join func(*rapid.T, *client)) {
	switch err {
	case nil:
		who.next = next
	case kerr.UnknownMemberID, kerr.FencedInstanceID:
		who.id, who.generation, who.next = "", -1, join
	default:
		who.next = join
	}
}

// hear records the leader of a generation.
func (c *crowd) hear(t *rapid.T, r group.JoinReply) {
	switch leads := r.Err == nil && r.MemberID == r.Leader; {
	case r.Err != nil && (r.Generation != -1 || r.Members != nil):
		t.Fatalf("rejected, but with a generation: %+v", r)
	case leads != (len(r.Members) > 0):
		t.Fatalf("only the leader must get the members: %+v", r)
	case leads && !r.SkipAssignment:
		before, ok := c.rosters[r.Generation]
		if ok && before.Leader != r.Leader {
			t.Fatalf("generation %d has the leaders %s and %s", r.Generation, before.Leader, r.Leader)
		}
		c.rosters[r.Generation] = r
	}
}

func (c *crowd) sync(t *rapid.T, who *client) {
	r := group.SyncRequest{MemberID: who.id, InstanceID: who.instance, Generation: c.generation(t, who)}
	if roster := c.rosters[r.Generation]; roster.Leader == who.id {
		r.Assignments = make(map[string][]byte)
		for _, m := range roster.Members {
			r.Assignments[m.MemberID] = fmt.Append(nil, r.Generation, ":", m.MemberID, m.InstanceID)
		}
	}
	who.next = nil
	answered := c.expect(t, "the sync of "+who.name)
	c.Sync(c.now, r, func(reply group.SyncReply) {
		answered()
		who.hear(reply.Err, c.heartbeat, c.join)
		if reply.Err != nil {
			return
		}
		generation, whose, _ := strings.Cut(string(reply.Assignment), ":")
		mine := whose == r.MemberID
		if r.InstanceID != "" { // another process may have had the instance id
			mine = strings.HasSuffix(whose, r.InstanceID)
		}
		if generation != fmt.Sprint(r.Generation) || !mine {
			t.Fatalf("%s got %q in generation %d", r.MemberID, reply.Assignment, r.Generation)
		}
	})
}

func (c *crowd) generation(t *rapid.T, who *client) int32 {
	return who.generation + rapid.SampledFrom([]int32{0, 0, 0, 0, 0, -1, 1}).Draw(t, "mistake")
}

func (c *crowd) heartbeat(t *rapid.T, who *client) {
	who.hear(c.Heartbeat(c.now, who.id, who.instance, c.generation(t, who)), c.heartbeat, c.join)
}

func (c *crowd) commit(t *rapid.T) {
	who := c.someone(t)
	_ = c.MayCommit(c.now, who.id, who.instance, c.generation(t, who), rapid.Bool().Draw(t, "transactional"))
}

func (c *crowd) leave(t *rapid.T) {
	var leaving []group.LeaveMember
	for range rapid.IntRange(1, 2).Draw(t, "how many") {
		who := c.someone(t)
		leaving = append(leaving, group.LeaveMember{MemberID: who.id, InstanceID: who.instance})
	}
	if errs := c.Leave(c.now, leaving); len(errs) != len(leaving) {
		t.Fatalf("%d members leave, %d got a response", len(leaving), len(errs))
	}
}

func (c *crowd) tick(t *rapid.T) {
	c.now = c.now.Add(seconds(0, 8).Draw(t, "time"))
	c.Tick(c.now)
	if at, ok := c.Deadline(); ok && !at.After(c.now) {
		t.Fatalf("after a tick at %v, the next deadline is %v", c.now, at)
	}
}

// restart drops waiting requests, because their connections are closed, too.
func (c *crowd) restart(t *rapid.T) {
	kept, err := group.ParseSnapshot(c.kept)
	if err != nil {
		t.Fatal(err)
	}
	c.Group = group.Restore("g", c.cfg, c.newMemberID, kept, c.now)
	clear(c.waiting)
	clear(c.rosters)
	for _, who := range c.clients {
		if who.next == nil {
			who.next = c.join
		}
	}
}

func (c *crowd) check(t *rapid.T) {
	d := c.Describe()
	dynamic := 0
	for _, m := range d.Members {
		if d.State == group.Stable && len(m.Assignment) == 0 {
			t.Fatalf("%s is in a stable group without an assignment", m.MemberID)
		}
		if m.InstanceID == "" {
			dynamic++
		}
	}
	settled := d.State == group.CompletingRebalance || d.State == group.Stable
	switch _, ok := c.Deadline(); {
	case settled && c.cfg.MaxSize > 0 && dynamic > c.cfg.MaxSize:
		t.Fatalf("the group has %d members", dynamic)
	case d.State == group.Empty && len(d.Members) > 0, settled && len(d.Members) == 0:
		t.Fatalf("state %v with %d members", d.State, len(d.Members))
	case len(c.waiting) > 0 && !ok:
		t.Fatalf("%d requests wait, but there is no deadline", len(c.waiting))
	}
	if c.Changed() {
		c.keep(t)
	}
}

// keep takes a snapshot and checks that it restores the same group.
func (c *crowd) keep(t *rapid.T) {
	c.kept = c.Snapshot().Append(nil)
	kept, err := group.ParseSnapshot(c.kept)
	if err != nil {
		t.Fatal(err)
	}
	if again := kept.Append(nil); !bytes.Equal(again, c.kept) {
		t.Fatalf("snapshot %x, want %x as before", c.kept, again)
	}
	if s := c.State(); s != group.Stable && s != group.Empty {
		return // the group has changed since
	}
	restored := group.Restore("g", group.Config{}, c.newMemberID, kept, c.now)
	if diff := cmp.Diff(c.Describe(), restored.Describe(), cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("a restored group differs (-before +after):\n%s", diff)
	}
}

// fallSilent advances the clock until nothing is due any more.
func (c *crowd) fallSilent(t *rapid.T) {
	for steps := 0; ; steps++ {
		at, ok := c.Deadline()
		if !ok {
			break
		}
		if steps > 1000 {
			t.Fatalf("the group does not become stable: %+v", c.Describe())
		}
		c.now = at
		c.Tick(at)
	}
	for a := range c.waiting {
		t.Fatalf("%s never gets a response", a.to)
	}
	if s := c.State(); s != group.Empty && s != group.Dead {
		t.Fatalf("state %v, although no client sends requests", s)
	}
}

func seconds(least, most int) *rapid.Generator[time.Duration] {
	return rapid.Custom(func(t *rapid.T) time.Duration {
		return time.Duration(rapid.IntRange(least, most).Draw(t, "seconds")) * time.Second
	})
}
