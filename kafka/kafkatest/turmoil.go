package kafkatest

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/rio-streams/rio/kafka"
)

// ledger is who owns each partition, as the owners themselves say.
type ledger struct {
	mu     sync.Mutex
	owners map[kafka.TopicPartition]string
	wrong  []string
}

// note writes down a change, before the owner acknowledges it.
func (l *ledger) note(name string, r kafka.Rebalance) {
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

// strike takes out everything of a member that is about to be gone.
func (l *ledger) strike(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for tp, owner := range l.owners {
		if owner == name {
			delete(l.owners, tp)
		}
	}
}

// lodger is a member that writes down in the ledger what it owns, until it is evicted.
type lodger struct {
	*kafka.Membership
	name   string
	client *kafka.Client
	mu     sync.Mutex
	gone   bool
}

func (g *lodger) live(l *ledger) {
	for r := range g.Rebalances() {
		g.mu.Lock()
		if !g.gone {
			l.note(g.name, r)
		}
		g.mu.Unlock()
		g.Ack()
	}
}

// evict ends what the ledger hears of the member.
func (g *lodger) evict(l *ledger) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.gone = true
	l.strike(g.name)
}

// Members join, leave, die without leaving and ask for new rounds, in any order: no partition ever has two owners, and once it
// is quiet everyone has a fair share.
func turmoil(s *subject) {
	seed := uint64(time.Now().UnixNano())
	s.Logf("seed %d", seed)
	dice := rand.New(rand.NewPCG(seed, 0))
	const partitions = 12
	topic, group := s.topic(partitions), s.unique()
	l := &ledger{owners: make(map[kafka.TopicPartition]string)}
	var lodgers []*lodger
	for i := range 15 {
		pick := 0
		if len(lodgers) > 0 {
			pick = dice.IntN(len(lodgers))
		}
		switch n := dice.IntN(6); {
		case len(lodgers) < 2 || n < 2 && len(lodgers) < 5:
			lodgers = append(lodgers, s.lodge(l, fmt.Sprint("member ", i), group, topic))
		case n == 2 || n == 3:
			gone := lodgers[pick]
			lodgers = append(lodgers[:pick:pick], lodgers[pick+1:]...)
			gone.evict(l)
			if n == 2 {
				s.must(gone.Leave(s.ctx))
			}
			gone.client.Close()
		case n == 4:
			lodgers[pick].Rejoin()
		default:
			eventually(s, "everything has an owner", func() bool { return l.count("") == partitions })
		}
	}
	eventually(s, "everyone has a fair share", func() bool {
		for _, g := range lodgers {
			if l.count(g.name) < partitions/len(lodgers) {
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
func (l *ledger) count(name string) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, owner := range l.owners {
		if name == "" || owner == name {
			n++
		}
	}
	return n
}

func (s *subject) lodge(l *ledger, name, group, topic string) *lodger {
	client, err := kafka.Dial(s.ctx, s.cfg)
	s.must(err)
	g := &lodger{name: name, client: client, Membership: client.Join(kafka.GroupConfig{
		Group: group, Topics: []string{topic}, Assign: kafka.NewStickyAssignor(),
		SessionTimeout: 2 * time.Second, RebalanceTimeout: 3 * time.Second, HeartbeatInterval: 20 * time.Millisecond,
	})}
	go g.live(l)
	s.Cleanup(func() {
		_ = g.Leave(s.ctx) // fails for those that are dead
		client.Close()
	})
	return g
}
