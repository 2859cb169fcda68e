package kafka

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/IBM/sarama"
)

// GroupConfig says how a process takes part in a group. Group, Topics and Assign are required.
type GroupConfig struct {
	// Group is the name of the group. All members must subscribe with an Assignor of the same name.
	Group string

	// InstanceID makes this a static member: a process that comes back under the same id within SessionTimeout finds its
	// partitions untouched, and nobody else is disturbed. Two living processes must not share one. Default: "", none.
	InstanceID string

	// Topics is the subscription; a topic that does not exist yet is assigned as soon as it does.
	Topics []string

	// SessionTimeout is how long a member may be silent before its partitions go to others. The broker sets bounds
	// (Apache Kafka: 6 s to 30 min). Default: 15 s. (Kafka's own 45 s makes a crash last that long.)
	SessionTimeout time.Duration

	// RebalanceTimeout is how long members may take to release what was revoked and join again. Default: 60 s.
	RebalanceTimeout time.Duration

	// HeartbeatInterval is also how long it takes until a member hears of a new round. Default: 1 s, and never more than
	// a third of SessionTimeout.
	HeartbeatInterval time.Duration

	// TopicsInterval is how often the leader looks whether a topic appeared or grew. Default: 10 s.
	TopicsInterval time.Duration

	// UserData is asked before every join for what the Assignor should know of this member. It is called from the
	// member's goroutine and must not wait. Default: nothing.
	UserData func() []byte

	// Assign distributes the partitions when this member leads.
	Assign Assignor
}

func (cfg GroupConfig) withDefaults() GroupConfig {
	cfg.SessionTimeout = orDefault(cfg.SessionTimeout, 15*time.Second)
	cfg.RebalanceTimeout = orDefault(cfg.RebalanceTimeout, time.Minute)
	cfg.HeartbeatInterval = min(orDefault(cfg.HeartbeatInterval, time.Second), cfg.SessionTimeout/3)
	cfg.TopicsInterval = orDefault(cfg.TopicsInterval, 10*time.Second)
	if cfg.UserData == nil {
		cfg.UserData = func() []byte { return nil }
	}
	return cfg
}

func orDefault(d, otherwise time.Duration) time.Duration {
	if d <= 0 {
		return otherwise
	}
	return d
}

func (cfg GroupConfig) validate() error {
	var errs []error
	if cfg.Group == "" {
		errs = append(errs, errors.New("GroupConfig.Group is empty: name the group"))
	}
	if len(cfg.Topics) == 0 {
		errs = append(errs, errors.New("GroupConfig.Topics is empty: a member subscribes to something"))
	}
	if cfg.Assign == nil {
		errs = append(errs, errors.New("GroupConfig.Assign is missing: any member may have to lead"))
	}
	return errors.Join(errs...)
}

// A Rebalance is a change of what a member owns. It keeps everything that is not named here and goes on with it.
type Rebalance struct {
	// Revoked must be finished, committed and released; then call Ack. With Lost, it is all that the member owned.
	Revoked []TopicPartition
	// Added is the member's from now on.
	Added []TopicPartition
	// Lost means that the member was fenced or timed out: what it owned may already be someone else's. Commit nothing,
	// drop it, call Ack.
	Lost bool
	// UserData is what the leader's Assignor gave to this member.
	UserData []byte
	// Err is not nil if the membership has ended for good: not authorized, fenced as a static member, a group of another
	// protocol, a configuration that the broker refuses. Nothing follows but Leave.
	Err error
}

// needsAck reports whether the membership waits for the owner to let something go.
func (r Rebalance) needsAck() bool { return r.Lost || len(r.Revoked) > 0 }

// A Membership is one process's place in a group. Rebalances are handed out incrementally (KIP-429): a member goes on with
// what it keeps while the group redistributes the rest.
//
// Two goroutines of its own do the work: one speaks with the coordinator (join, heartbeat, join again) and owns the
// unexported state below it; the other hands out the rebalances, so that no heartbeat ever waits for the owner. All
// methods may be called from any goroutine. Whoever joins must Leave in the end, also after a fatal Err.
type Membership struct {
	client *Client
	cfg    GroupConfig
	key    coordinated
	joins  *pool // a join keeps its connection busy for as long as others take to join,
	beats  *pool // and heartbeats go on meanwhile
	couriered
	ref    atomic.Pointer[GroupRef]
	rejoin chan struct{}
	cancel context.CancelFunc
	ended  chan struct{}
	leave  sync.Once
	left   error

	// Owned by the goroutine of live.
	memberID    string
	generation  int32            // of the last assignment
	owned       []TopicPartition // sorted
	userData    []byte           // as assigned
	assigned    bool             // there was an assignment since the last loss
	leads       bool
	watched     map[string]int32 // partition counts that the leader assigned by
	lastContact time.Time        // the coordinator's last sign of life
	failures    int              // in a row, for the pause between attempts
}

// Join makes the process a member of a group. It returns at once; what happens is told by Rebalances.
func (c *Client) Join(cfg GroupConfig) *Membership {
	cfg = cfg.withDefaults()
	ctx, cancel := context.WithCancel(context.Background())
	m := &Membership{
		client:     c,
		cfg:        cfg,
		key:        coordinated{sarama.CoordinatorGroup, cfg.Group},
		joins:      c.newPool(cfg.RebalanceTimeout),
		beats:      c.newPool(0),
		couriered:  newCouriered(),
		rejoin:     make(chan struct{}, 1),
		cancel:     cancel,
		ended:      make(chan struct{}),
		generation: -1,
	}
	m.publish()
	go m.deliver()
	go func() {
		defer close(m.ended)
		if err := m.live(ctx); ctx.Err() == nil {
			err = fmt.Errorf("kafka: group %s: %w", cfg.Group, err)
			m.push(Rebalance{Revoked: m.owned, Lost: true, Err: err})
		}
	}()
	return m
}

// Ref names the member in its current generation, for commits. A commit can meet the moment in which a round completes and
// fail with ErrIllegalGeneration although the member keeps its partitions; if Ref then names a later generation and no
// Rebalance with Lost came, the same commit is good with the new reference.
func (m *Membership) Ref() GroupRef { return *m.ref.Load() }

func (m *Membership) publish() {
	m.ref.Store(&GroupRef{Group: m.cfg.Group, MemberID: m.memberID, InstanceID: m.cfg.InstanceID, Generation: m.generation})
}

// Rejoin asks for a new round of assignment, for example because UserData says something else now.
func (m *Membership) Rejoin() {
	select {
	case m.rejoin <- struct{}{}:
	default: // one is asked for already
	}
}

// Leave ends the membership; what it owned goes to others at once, unless it is a static member, whose partitions wait
// for it until SessionTimeout. Commit before. Leave closes the channel of Rebalances. It fails if the coordinator could
// not be told, which does no harm beyond the wait for SessionTimeout.
func (m *Membership) Leave(ctx context.Context) error {
	return m.end(ctx, m.cfg.InstanceID == "")
}

// Resign is Leave for a member that does not mean to come back soon: a static member's partitions, too, go to others at
// once. Kafka knows this request since 2.4.
func (m *Membership) Resign(ctx context.Context) error { return m.end(ctx, true) }

func (m *Membership) end(ctx context.Context, tell bool) error {
	m.leave.Do(func() {
		m.cancel()
		<-m.ended
		m.stop()
		if m.memberID != "" && tell {
			m.left = m.sendLeave(ctx)
		}
		m.client.closePool(m.joins)
		m.client.closePool(m.beats)
	})
	return m.left
}

// live goes round after round until ctx ends or the membership is beyond help.
func (m *Membership) live(ctx context.Context) error {
	if err := m.cfg.validate(); err != nil {
		return err
	}
	m.lastContact = time.Now()
	for {
		err := m.round(ctx)
		if err == nil {
			m.failures = 0
			continue
		}
		if err := m.mend(ctx, err); err != nil {
			return err
		}
	}
}

// round joins, hands out what changed, and heartbeats until the next round is due.
func (m *Membership) round(ctx context.Context) error {
	drained(m.rejoin) // this round will do
	joined, err := m.join(ctx)
	if err != nil {
		return err
	}
	assignment, err := m.sync(ctx, joined)
	if err != nil {
		return err
	}
	return m.serve(ctx, m.take(assignment))
}

// take makes the assignment the member's own and hands out the difference. The channel it returns is nil unless something
// has to be released first.
func (m *Membership) take(a Assignment) (acked <-chan struct{}) {
	sortPartitions(a.Partitions)
	change := Rebalance{
		Revoked:  without(m.owned, a.Partitions),
		Added:    without(a.Partitions, m.owned),
		UserData: a.UserData,
	}
	news := !m.assigned || change.needsAck() || len(change.Added) > 0 || string(a.UserData) != string(m.userData)
	m.owned, m.userData, m.assigned = a.Partitions, a.UserData, true
	if !news {
		return nil
	}
	return m.push(change)
}

// serve heartbeats until a new round is due: what was revoked has been released (acked is not nil), or else the
// coordinator, the owner, or the topics ask for one.
func (m *Membership) serve(ctx context.Context, acked <-chan struct{}) error {
	heartbeat := time.NewTicker(m.cfg.HeartbeatInterval)
	defer heartbeat.Stop()
	topics := time.NewTicker(m.cfg.TopicsInterval)
	defer topics.Stop()
	releasing := acked != nil
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-acked:
			return nil
		case <-m.whenNot(releasing, m.rejoin):
			return nil
		case <-topics.C:
			if m.leads && !releasing && m.topicsChanged(ctx) {
				return nil
			}
		case <-heartbeat.C:
			err := m.heartbeat(ctx)
			if errors.Is(err, ErrRebalanceInProgress) {
				if !releasing {
					return nil
				}
			} else if err != nil {
				return err
			}
		}
	}
}

// whenNot leaves a request for a new round where it is while there is something to release: that ends in a round anyway.
func (m *Membership) whenNot(releasing bool, rejoin <-chan struct{}) <-chan struct{} {
	if releasing {
		return nil
	}
	return rejoin
}

// errSilent: the coordinator was not heard of for a session time-out, so it has given us up.
var errSilent = errors.New("no answer from the coordinator for the session time-out")

// mend decides what a failure means: join again, as a new member without anything, or not at all (an error).
func (m *Membership) mend(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, ErrRebalanceInProgress):
		return nil
	case errors.Is(err, ErrUnknownMember):
		m.memberID = ""
		return m.lose(ctx)
	case errors.Is(err, ErrIllegalGeneration), errors.Is(err, errSilent):
		return m.lose(ctx)
	case !retriable(err) && !errors.Is(err, context.DeadlineExceeded): // ours are shorter than ctx
		return err
	case m.silence() > m.cfg.SessionTimeout:
		return m.lose(ctx)
	}
	m.failures++
	return pause(ctx, m.failures)
}

// lose tells the owner that all it had may be someone else's, and waits until it has let go. The reference for commits
// stays what it was, so that the broker refuses a commit that is still under way.
func (m *Membership) lose(ctx context.Context) error {
	if m.assigned && len(m.owned) > 0 {
		acked := m.push(Rebalance{Revoked: m.owned, Lost: true})
		select {
		case <-acked:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	m.owned, m.userData, m.assigned, m.generation, m.leads = nil, nil, false, -1, false
	m.lastContact = time.Now() // a new beginning
	return nil
}

func (m *Membership) silence() time.Duration { return time.Since(m.lastContact) }

// topicsChanged asks whether the leader would assign by other partition counts now. If it cannot be known, it is asked
// again the next time.
func (m *Membership) topicsChanged(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, m.cfg.HeartbeatInterval)
	defer cancel()
	counts, err := m.partitionCounts(ctx, slices.Collect(maps.Keys(m.watched)))
	return err == nil && !maps.Equal(counts, m.watched)
}

func drained(c <-chan struct{}) {
	select {
	case <-c:
	default:
	}
}

// without returns the elements of a that are not in b.
func without(a, b []TopicPartition) []TopicPartition {
	in := make(map[TopicPartition]bool, len(b))
	for _, tp := range b {
		in[tp] = true
	}
	var rest []TopicPartition
	for _, tp := range a {
		if !in[tp] {
			rest = append(rest, tp)
		}
	}
	return rest
}

func sortPartitions(tps []TopicPartition) {
	slices.SortFunc(tps, func(a, b TopicPartition) int {
		if c := strings.Compare(a.Topic, b.Topic); c != 0 {
			return c
		}
		return int(a.Partition) - int(b.Partition)
	})
}
