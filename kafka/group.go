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

// GroupConfig configures the membership in a group. Group, Topics and Assignors are required.
type GroupConfig struct {
	// Group is the name of the group.
	Group string

	// InstanceID makes this a static member: a process that restarts under the same id within SessionTimeout gets its
	// partitions back without a rebalance. Two running processes must not share an id. Default: "", a dynamic member.
	InstanceID string

	// Topics are the subscribed topics. A topic that does not exist yet is assigned once it has been created.
	Topics []string

	// SessionTimeout bounds how long a member may be silent before the coordinator reassigns its partitions. The broker
	// limits it (Apache Kafka: 6 s to 30 min). Default: 15 s. (With Kafka's own 45 s, recovery from a crash takes that
	// long.)
	SessionTimeout time.Duration

	// RebalanceTimeout bounds how long members may take to release revoked partitions and join again. Default: 60 s.
	RebalanceTimeout time.Duration

	// HeartbeatInterval is the time between heartbeats. It is also how long it takes until a member learns of a
	// rebalance. Default: 1 s, and never more than a third of SessionTimeout.
	HeartbeatInterval time.Duration

	// TopicsInterval is how often the leader checks for new topics and partitions. Default: 10 s.
	TopicsInterval time.Duration

	// UserData returns data about this member for the Assignor. It is called before every join, by the member's
	// goroutine, and must not block. Default: no data.
	UserData func() []byte

	// Assignors can distribute the partitions, in this member's order of preference. The group uses one that all its members
	// offer, the one that most of them prefer; this member applies it when it is the leader. A member that has none in common
	// with the others is refused.
	//
	// With an eager assignor among them, this member releases all its partitions before each rebalance, whichever assignor
	// the group uses: a new member may make the group change to that one, whose leader does not know what members own.
	Assignors []Assignor
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
		errs = append(errs, errors.New("GroupConfig.Topics is empty: name at least one topic"))
	}
	if len(cfg.Assignors) == 0 {
		errs = append(errs, errors.New("GroupConfig.Assignors is empty: any member may become the leader"))
	}
	for i, a := range cfg.Assignors {
		if named(cfg.Assignors[:i], a.Name()) != nil {
			errs = append(errs, fmt.Errorf("GroupConfig.Assignors has two assignors called %s", a.Name()))
		}
	}
	return errors.Join(errs...)
}

// eager reports whether the member releases all partitions before it joins. As in Apache Kafka's client, it does so unless
// all assignors are cooperative.
func (cfg GroupConfig) eager() bool {
	return slices.ContainsFunc(cfg.Assignors, func(a Assignor) bool { return !a.Cooperative() })
}

// A Rebalance is a change of what a member owns. The member keeps every partition that is not listed here, and
// continues to process it. A member with an eager assignor first gets one that revokes everything, then one that adds.
type Rebalance struct {
	// Revoked lists the partitions to commit and release; then call Ack. With Lost, it lists all partitions that the
	// member owned.
	Revoked []TopicPartition
	// Added lists the partitions that the member owns from now on.
	Added []TopicPartition
	// Lost means that the member was fenced or timed out: other members may already own its partitions. Do not commit;
	// drop them and call Ack.
	Lost bool
	// UserData is the data that the leader's Assignor returned for this member.
	UserData []byte
	// Err is not nil if the membership has ended for good: not authorized, fenced as a static member, a group of
	// another protocol, or a configuration that the broker rejects. Call Leave; no other Rebalance follows.
	Err error
}

// needsAck reports whether the owner has to release something and call Ack.
func (r Rebalance) needsAck() bool { return r.Lost || len(r.Revoked) > 0 }

// A Membership is one process's membership in a group. Rebalances are incremental (KIP-429) unless one of its Assignors is
// eager: a member continues with the partitions it keeps while the group redistributes the rest.
//
// It runs two goroutines: one talks to the coordinator (join, heartbeat, join again) and owns the unexported state
// marked below; the other delivers the rebalances, so that heartbeats never wait for the owner. All methods may be
// called from any goroutine. Call Leave in the end, also after a fatal Err.
type Membership struct {
	client        *Client
	cfg           GroupConfig
	key           coordinated
	joinPool      *pool // a join occupies its connection until the other members have joined, so
	heartbeatPool *pool // heartbeats have their own
	rebalanceQueue
	ref    atomic.Pointer[GroupRef]
	rejoin chan struct{}
	cancel context.CancelFunc
	ended  chan struct{}
	leave  sync.Once
	left   error

	// Owned by the goroutine of run.
	memberID       string
	generation     int32            // of the last assignment
	owned          []TopicPartition // sorted
	userData       []byte           // as assigned
	assigned       bool             // an assignment was received since the owner last lost or released everything
	releasing      <-chan struct{}  // closed once the owner has released what was last revoked; nil before the first time
	leads          bool
	assignedCounts map[string]int32 // partition counts that the leader based its assignment on
	lastContact    time.Time        // time of the coordinator's last answer
	failures       int              // consecutive failures, for the backoff
}

// Join makes the process a member of a group. It returns at once; Rebalances delivers the results.
func (c *Client) Join(cfg GroupConfig) *Membership {
	cfg = cfg.withDefaults()
	ctx, cancel := context.WithCancel(context.Background())
	m := &Membership{
		client:         c,
		cfg:            cfg,
		key:            coordinated{sarama.CoordinatorGroup, cfg.Group},
		joinPool:       c.newPool(cfg.RebalanceTimeout),
		heartbeatPool:  c.newPool(0),
		rebalanceQueue: newRebalanceQueue(),
		rejoin:         make(chan struct{}, 1),
		cancel:         cancel,
		ended:          make(chan struct{}),
		generation:     -1,
	}
	m.publish()
	go m.deliver()
	go func() {
		defer close(m.ended)
		if err := m.run(ctx); ctx.Err() == nil {
			err = fmt.Errorf("kafka: group %s: %w", cfg.Group, err)
			m.push(Rebalance{Revoked: m.owned, Lost: true, Err: err})
		}
	}()
	return m
}

// Ref identifies the member in its current generation, for commits. A commit during the end of a rebalance can fail
// with ErrIllegalGeneration although the member keeps its partitions. If Ref then returns a later generation and no
// Rebalance with Lost arrived, retry the commit with the new reference.
func (m *Membership) Ref() GroupRef { return *m.ref.Load() }

func (m *Membership) publish() {
	m.ref.Store(&GroupRef{Group: m.cfg.Group, MemberID: m.memberID, InstanceID: m.cfg.InstanceID, Generation: m.generation})
}

// Rejoin requests a new assignment, for example because UserData would return other data now.
func (m *Membership) Rejoin() {
	select {
	case m.rejoin <- struct{}{}:
	default: // already requested
	}
}

// Leave ends the membership and closes the channel of Rebalances. Commit before. Its partitions are reassigned at once;
// those of a static member wait for it until SessionTimeout. Leave fails if it cannot reach the coordinator, which then
// reassigns after SessionTimeout.
func (m *Membership) Leave(ctx context.Context) error {
	return m.end(ctx, m.cfg.InstanceID == "")
}

// Resign is like Leave for a member that will not return soon: the partitions of a static member are also reassigned at
// once. It needs Kafka 2.4.
func (m *Membership) Resign(ctx context.Context) error { return m.end(ctx, true) }

func (m *Membership) end(ctx context.Context, leave bool) error {
	m.leave.Do(func() {
		m.cancel()
		<-m.ended
		m.stop()
		if m.memberID != "" && leave {
			m.left = m.sendLeave(ctx)
		}
		m.client.closePool(m.joinPool)
		m.client.closePool(m.heartbeatPool)
	})
	return m.left
}

// run runs round after round until ctx ends or an error is fatal.
func (m *Membership) run(ctx context.Context) error {
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
		if err := m.recoverFrom(ctx, err); err != nil {
			return err
		}
	}
}

// round joins the group, delivers what changed, and sends heartbeats until the next round is due.
func (m *Membership) round(ctx context.Context) error {
	if err := m.release(ctx); err != nil {
		return err
	}
	drained(m.rejoin) // this round serves the request
	joined, err := m.join(ctx)
	if err != nil {
		return err
	}
	assignment, err := m.sync(ctx, joined)
	if err != nil {
		return err
	}
	return m.serve(ctx, m.adoptAssignment(assignment))
}

// release waits until the owner has released what must be released before the member joins: what was revoked, and all
// partitions of an eager member.
func (m *Membership) release(ctx context.Context) error {
	if m.cfg.eager() && len(m.owned) > 0 {
		m.releasing = m.push(Rebalance{Revoked: m.owned, UserData: m.userData})
		m.owned, m.assigned = nil, false
	}
	select {
	case <-m.releasing:
		return nil
	default:
		if m.releasing == nil {
			return nil
		}
		return m.serve(ctx, m.releasing)
	}
}

// adoptAssignment makes a the member's assignment and delivers the difference. The returned channel is nil unless the
// owner has to release something first.
func (m *Membership) adoptAssignment(a Assignment) (acked <-chan struct{}) {
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
	if acked = m.push(change); acked != nil {
		m.releasing = acked
	}
	return acked
}

// serve sends heartbeats until a new round is due: the owner has released what was revoked (acked is not nil), or the
// coordinator, the owner, or a change of topics requires one.
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
		case <-m.unlessReleasing(releasing, m.rejoin):
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

// unlessReleasing returns rejoin, or nil while the owner releases partitions: a new round follows then anyway.
func (m *Membership) unlessReleasing(releasing bool, rejoin <-chan struct{}) <-chan struct{} {
	if releasing {
		return nil
	}
	return rejoin
}

// errSessionTimeout: the coordinator did not answer for a session timeout, so it has removed this member.
var errSessionTimeout = errors.New("no answer from the coordinator within the session timeout")

// recoverFrom decides what to do after err: join again (nil), join as a new member that owns nothing (nil, after
// dropOwned), or give up (an error).
func (m *Membership) recoverFrom(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, ErrRebalanceInProgress):
		return nil
	case errors.Is(err, ErrUnknownMember):
		m.memberID = ""
		return m.dropOwned(ctx)
	case errors.Is(err, ErrIllegalGeneration), errors.Is(err, errSessionTimeout):
		return m.dropOwned(ctx)
	case !retriable(err) && !errors.Is(err, context.DeadlineExceeded): // request timeouts are shorter than ctx
		return err
	case m.sinceContact() > m.cfg.SessionTimeout:
		return m.dropOwned(ctx)
	}
	m.failures++
	return pause(ctx, m.failures)
}

// dropOwned tells the owner that it has lost all partitions, and waits for its Ack, also for that of an earlier Rebalance.
// Until then, the reference for commits does not change, so that the broker refuses a commit that is still in flight.
func (m *Membership) dropOwned(ctx context.Context) error {
	if m.assigned && len(m.owned) > 0 {
		m.releasing = m.push(Rebalance{Revoked: m.owned, Lost: true})
	}
	if m.releasing != nil {
		select {
		case <-m.releasing:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	m.owned, m.userData, m.assigned, m.generation, m.leads = nil, nil, false, -1, false
	m.lastContact = time.Now() // start a new session
	return nil
}

func (m *Membership) sinceContact() time.Duration { return time.Since(m.lastContact) }

// topicsChanged reports whether the partition counts of the subscribed topics have changed since the last assignment.
// If the cluster cannot be asked, it returns false until the next check.
func (m *Membership) topicsChanged(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, m.cfg.HeartbeatInterval)
	defer cancel()
	counts, err := m.partitionCounts(ctx, slices.Collect(maps.Keys(m.assignedCounts)))
	return err == nil && !maps.Equal(counts, m.assignedCounts)
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
