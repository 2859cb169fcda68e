package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// member is a consumer of a group with a goroutine that polls and commits; the mutex guards its results.
type member struct {
	client *kgo.Client
	done   sync.WaitGroup

	mu       sync.Mutex
	assigned []int32
	values   []string
	err      error
}

func (f *franz) join(ctx context.Context, topic, group string, opts ...kgo.Opt) (*member, error) {
	m := &member{}
	client, err := f.client(append([]kgo.Opt{
		kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.DisableAutoCommit(), kgo.SessionTimeout(6 * time.Second), kgo.HeartbeatInterval(500 * time.Millisecond),
		kgo.OnPartitionsAssigned(func(_ context.Context, _ *kgo.Client, got map[string][]int32) { m.assign(got[topic]) }),
		kgo.OnPartitionsRevoked(func(_ context.Context, _ *kgo.Client, lost map[string][]int32) { m.revoke(lost[topic]) }),
		kgo.OnPartitionsLost(func(_ context.Context, _ *kgo.Client, lost map[string][]int32) { m.revoke(lost[topic]) }),
	}, opts...)...)
	if err != nil {
		return nil, err
	}
	m.client = client
	m.done.Go(func() { m.poll(ctx) })
	return m, nil
}

func (m *member) poll(ctx context.Context) {
	for {
		fetches := m.client.PollFetches(ctx)
		if fetches.IsClientClosed() {
			return
		}
		err := fetches.Err()
		if err == nil {
			err = m.client.CommitUncommittedOffsets(ctx)
		}
		m.mu.Lock()
		fetches.EachRecord(func(r *kgo.Record) { m.values = append(m.values, string(r.Value)) })
		m.err = errors.Join(m.err, err)
		m.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (m *member) assign(got []int32) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.assigned = append(m.assigned, got...)
}

func (m *member) revoke(lost []int32) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.assigned = slices.DeleteFunc(m.assigned, func(p int32) bool { return slices.Contains(lost, p) })
}

func (m *member) has() []int32 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(slices.Values(m.assigned))
}

func (m *member) read() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.values)
}

// leave ends the member and returns its errors.
func (m *member) leave() error {
	m.client.Close()
	m.done.Wait()
	return m.err
}

// shared reports whether each member has partitions, and together they have every partition once.
func shared(a, b *member) bool {
	hasA, hasB := a.has(), b.has()
	all := append(slices.Clone(hasA), hasB...)
	slices.Sort(all)
	return len(hasA) > 0 && len(hasB) > 0 && slices.Equal(all, []int32{0, 1, 2})
}

// pair joins two members, which share the topic.
func (f *franz) pair(ctx context.Context, topic, group string, opts ...kgo.Opt) (a, b *member, err error) {
	if a, err = f.join(ctx, topic, group, opts...); err != nil {
		return nil, nil, err
	}
	if b, err = f.join(ctx, topic, group); err != nil {
		return nil, nil, errors.Join(err, a.leave())
	}
	if err = eventually("two members do not share", func() bool { return shared(a, b) }); err != nil {
		return nil, nil, errors.Join(err, a.leave(), b.leave())
	}
	return a, b, nil
}

func (f *franz) groups(ctx context.Context) error {
	topic, err := f.create(ctx, "groups", nil)
	if err != nil {
		return err
	}
	group := f.prefix + "-group"
	a, b, err := f.pair(ctx, topic, group)
	if err != nil {
		return err
	}
	err = f.readByBoth(ctx, topic, a, b)
	err = errors.Join(err, f.described(ctx, group))
	err = errors.Join(err, a.leave())
	err = errors.Join(err, eventually("the other member does not take over", func() bool { return len(b.has()) == partitions }), b.leave())
	if err != nil {
		return err
	}
	return f.restart(ctx, topic, group)
}

func (f *franz) readByBoth(ctx context.Context, topic string, a, b *member) error {
	for p := range int32(partitions) {
		if err := f.send(ctx, topic, p, fmt.Sprint(p, "-0"), fmt.Sprint(p, "-1")); err != nil {
			return err
		}
	}
	if err := eventually("not everything was read", func() bool { return len(a.read())+len(b.read()) == 6 }); err != nil {
		return err
	}
	all := append(a.read(), b.read()...)
	slices.Sort(all)
	return equal("values", all, []string{"0-0", "0-1", "1-0", "1-1", "2-0", "2-1"})
}

func (f *franz) described(ctx context.Context, group string) error {
	described, err := f.admin.DescribeGroups(ctx, group)
	if err != nil {
		return err
	}
	listed, err := f.admin.ListGroups(ctx)
	if err != nil {
		return err
	}
	g := described[group]
	got := fmt.Sprint(g.State, " ", len(g.Members), " listed as ", listed[group].State)
	return equal("state and members", got, "Stable 2 listed as Stable")
}

// restart checks that a new member resumes at the committed offsets, and that the empty group can be deleted.
func (f *franz) restart(ctx context.Context, topic, group string) error {
	if err := f.send(ctx, topic, 1, "later"); err != nil {
		return err
	}
	lags, err := f.admin.Lag(ctx, group)
	if err != nil {
		return err
	}
	lag := lags[group].Lag[topic]
	if err := equal("committed offset and lag", fmt.Sprint(lag[1].Commit.At, lag[1].Lag, lag[0].Lag), "2 1 0"); err != nil {
		return err
	}
	m, err := f.join(ctx, topic, group)
	if err != nil {
		return err
	}
	err = eventually("nothing was read after a restart", func() bool { return len(m.read()) > 0 })
	err = errors.Join(err, m.leave(), equal("read after a restart", m.read(), []string{"later"}))
	if err != nil {
		return err
	}
	if _, err := f.admin.DeleteGroup(ctx, group); err != nil {
		return err
	}
	offsets, err := f.admin.FetchOffsets(ctx, group)
	return errors.Join(err, equal("offsets of a deleted group", len(offsets.Offsets()), 0))
}

// memberDies: a static member that closes does not leave the group, which to the group looks like a crash.
func (f *franz) memberDies(ctx context.Context) error {
	topic, err := f.create(ctx, "dies", nil)
	if err != nil {
		return err
	}
	a, b, err := f.pair(ctx, topic, f.prefix+"-dies", kgo.InstanceID("mortal"))
	if err != nil {
		return err
	}
	had := b.has()
	err = errors.Join(a.leave(), equal("assigned while the session lasts", b.has(), had))
	err = errors.Join(err, eventually("the survivor does not take over", func() bool { return len(b.has()) == partitions }))
	return errors.Join(err, b.leave())
}
