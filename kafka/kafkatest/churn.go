package kafkatest

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/rio-streams/rio/kafka"
)

// ownership records the owner of each partition, as reported by the members.
type ownership struct {
	mu     sync.Mutex
	owners map[kafka.TopicPartition]string
	wrong  []string
}

// note records a rebalance before the member acknowledges it.
func (l *ownership) note(name string, r kafka.Rebalance) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, tp := range r.Revoked {
		if l.owners[tp] == name {
			delete(l.owners, tp)
		}
	}
	for _, tp := range r.Added {
		if owner := l.owners[tp]; owner != "" {
			l.wrong = append(l.wrong, fmt.Sprintf("%s was given %v, which %s has not released", name, tp, owner))
		}
		l.owners[tp] = name
	}
}

// removeMember removes all partitions of a member.
func (l *ownership) removeMember(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for tp, owner := range l.owners {
		if owner == name {
			delete(l.owners, tp)
		}
	}
}

// trackedMember is a member that records its partitions in an ownership until untrack is called.
type trackedMember struct {
	*kafka.Membership
	name   string
	client *kafka.Client
	mu     sync.Mutex
	gone   bool
}

func (g *trackedMember) follow(l *ownership) {
	for r := range g.Rebalances() {
		g.mu.Lock()
		if !g.gone {
			l.note(g.name, r)
		}
		g.mu.Unlock()
		g.Ack()
	}
}

// untrack removes the member's partitions and ignores its further rebalances.
func (g *trackedMember) untrack(l *ownership) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.gone = true
	l.removeMember(g.name)
}

// Members join, leave, die without leaving and request rebalances, in random order. No partition ever has two owners, and in
// the end every member has a fair share.
func churn(s *subject) {
	seed := uint64(time.Now().UnixNano())
	s.Logf("seed %d", seed)
	dice := rand.New(rand.NewPCG(seed, 0))
	const partitions = 12
	topic, group := s.topic(partitions), s.unique()
	l := &ownership{owners: make(map[kafka.TopicPartition]string)}
	var members []*trackedMember
	for i := range 15 {
		pick := 0
		if len(members) > 0 {
			pick = dice.IntN(len(members))
		}
		switch n := dice.IntN(6); {
		case len(members) < 2 || n < 2 && len(members) < 5:
			members = append(members, s.joinTracked(l, fmt.Sprint("member ", i), group, topic))
		case n == 2 || n == 3:
			gone := members[pick]
			members = append(members[:pick:pick], members[pick+1:]...)
			gone.untrack(l)
			if n == 2 {
				s.must(gone.Leave(s.ctx))
			}
			gone.client.Close()
		case n == 4:
			members[pick].Rejoin()
		default:
			eventually(s, "everything has an owner", func() bool { return l.count("") == partitions })
		}
	}
	eventually(s, "everyone has a fair share", func() bool {
		for _, g := range members {
			if l.count(g.name) < partitions/len(members) {
				return false
			}
		}
		return l.count("") == partitions
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, wrong := range l.wrong {
		s.Error(wrong)
	}
}

// count returns how many partitions name owns or, if name is empty, how many have an owner.
func (l *ownership) count(name string) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, owner := range l.owners {
		if name == "" || owner == name {
			n++
		}
	}
	return n
}

func (s *subject) joinTracked(l *ownership, name, group, topic string) *trackedMember {
	client, err := kafka.Dial(s.ctx, s.cfg)
	s.must(err)
	g := &trackedMember{name: name, client: client, Membership: client.Join(kafka.GroupConfig{
		Group: group, Topics: []string{topic}, Assignors: []kafka.Assignor{kafka.NewStickyAssignor()},
		SessionTimeout: 2 * time.Second, RebalanceTimeout: 3 * time.Second, HeartbeatInterval: 20 * time.Millisecond,
	})}
	go g.follow(l)
	s.Cleanup(func() {
		_ = g.Leave(s.ctx) // fails for members that have left already
		client.Close()
	})
	return g
}
