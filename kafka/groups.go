package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/IBM/sarama"
)

// A GroupListing is an entry in the list of groups.
type GroupListing struct {
	Name  string
	State string // such as Stable, Empty or PreparingRebalance; empty if the broker does not report it
}

// A GroupDescription describes a group.
type GroupDescription struct {
	Name       string
	State      string // Stable, Empty, PreparingRebalance, CompletingRebalance or Dead
	Protocol   string // the assignor of the group
	Members    []MemberDescription
	Partitions []PartitionLag // all partitions that are assigned or have a committed offset
}

// A MemberDescription describes a member of a group.
type MemberDescription struct {
	MemberID   string
	InstanceID string
	ClientID   string
	Host       string
	Partitions []TopicPartition
}

// A PartitionLag is how far a group lags behind in one partition.
type PartitionLag struct {
	TopicPartition
	MemberID  string // the owner; empty if unassigned
	Committed int64  // -1 if nothing has been committed
	Metadata  string // the metadata stored with the committed offset
	Start     int64  // first offset that has not been deleted
	End       int64  // the last stable offset: the end of the committed records
	Lag       int64  // End minus Committed; without a committed offset, End minus Start
}

// Groups returns all groups of all brokers, by name.
func (c *Client) Groups(ctx context.Context) ([]GroupListing, error) {
	var groups []GroupListing
	err := c.retry(ctx, func() error {
		groups = nil
		if err := c.refresh(ctx); err != nil {
			return err
		}
		for _, addr := range c.brokers() {
			res, err := ask(ctx, c.shared.get(addr), (*sarama.Broker).ListGroups, &sarama.ListGroupsRequest{Version: 4})
			if err == nil {
				err = codeError(res.Err)
			}
			if err != nil {
				return err
			}
			for name := range res.Groups {
				groups = append(groups, GroupListing{Name: name, State: res.GroupsData[name].GroupState})
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("kafka: groups: %w", err)
	}
	slices.SortFunc(groups, func(a, b GroupListing) int { return strings.Compare(a.Name, b.Name) })
	return groups, nil
}

// brokers returns the addresses of all brokers.
func (c *Client) brokers() []string {
	c.meta.mu.RLock()
	defer c.meta.mu.RUnlock()
	var addrs []string
	for _, addr := range c.meta.brokers {
		addrs = append(addrs, addr)
	}
	return addrs
}

// DescribeGroup returns the members of a group, their partitions, and the lag of each partition. A group that does not
// exist is described as Dead, without members and partitions.
func (c *Client) DescribeGroup(ctx context.Context, name string) (*GroupDescription, error) {
	group := &GroupDescription{Name: name}
	req := &sarama.DescribeGroupsRequest{Version: 4, Groups: []string{name}}
	err := askCoordinator(ctx, c, c.shared, coordinated{sarama.CoordinatorGroup, name}, (*sarama.Broker).DescribeGroups, req,
		func(res *sarama.DescribeGroupsResponse) error { return group.fill(res) })
	if err == nil {
		err = c.lag(ctx, group)
	}
	if err != nil {
		return nil, fmt.Errorf("kafka: describe group %s: %w", name, err)
	}
	return group, nil
}

// fill sets the fields of g from the coordinator's answer.
func (g *GroupDescription) fill(res *sarama.DescribeGroupsResponse) error {
	if len(res.Groups) != 1 {
		return fmt.Errorf("%w: %d groups in the answer", ErrCorrupt, len(res.Groups))
	}
	described := res.Groups[0]
	if err := codeError(described.Err); err != nil && described.Err != sarama.ErrGroupIDNotFound {
		return err
	}
	g.State, g.Protocol, g.Members = described.State, described.Protocol, nil
	if g.State == "" {
		g.State = "Dead"
	}
	for _, m := range described.Members {
		member := MemberDescription{MemberID: m.MemberId, ClientID: m.ClientId, Host: m.ClientHost}
		if m.GroupInstanceId != nil {
			member.InstanceID = *m.GroupInstanceId
		}
		if assignment, err := m.GetMemberAssignment(); err == nil && assignment != nil {
			for topic, partitions := range assignment.Topics {
				for _, partition := range partitions {
					member.Partitions = append(member.Partitions, TopicPartition{topic, partition})
				}
			}
		}
		slices.SortFunc(member.Partitions, compareTP)
		g.Members = append(g.Members, member)
	}
	slices.SortFunc(g.Members, func(a, b MemberDescription) int { return strings.Compare(a.MemberID, b.MemberID) })
	return nil
}

func compareTP(a, b TopicPartition) int {
	if c := strings.Compare(a.Topic, b.Topic); c != 0 {
		return c
	}
	return int(a.Partition) - int(b.Partition)
}

// lag fills in g.Partitions.
func (c *Client) lag(ctx context.Context, g *GroupDescription) error {
	committed, err := c.CommittedOffsets(ctx, g.Name, nil)
	if err != nil {
		return err
	}
	lags := make(map[TopicPartition]*PartitionLag)
	for tp, offset := range committed {
		lags[tp] = &PartitionLag{TopicPartition: tp, Committed: offset.Offset, Metadata: offset.Metadata}
	}
	for _, m := range g.Members {
		for _, tp := range m.Partitions {
			if lags[tp] == nil {
				lags[tp] = &PartitionLag{TopicPartition: tp, Committed: -1}
			}
			lags[tp].MemberID = m.MemberID
		}
	}
	tps, err := c.existing(ctx, lags)
	if err != nil {
		return err
	}
	starts, err := c.listOffsets(ctx, tps, Earliest)
	if err != nil {
		return err
	}
	ends, err := c.listOffsets(ctx, tps, LatestStable)
	if err != nil {
		return err
	}
	for _, tp := range tps {
		l := lags[tp]
		l.Start, l.End = starts[tp], ends[tp]
		l.Lag = max(0, l.End-max(l.Committed, l.Start))
		g.Partitions = append(g.Partitions, *l)
	}
	return nil
}

// existing returns the partitions whose topic still exists, in order.
func (c *Client) existing(ctx context.Context, lags map[TopicPartition]*PartitionLag) ([]TopicPartition, error) {
	partitions := make(map[string]int)
	var names []string
	for tp := range lags {
		if _, ok := partitions[tp.Topic]; !ok {
			partitions[tp.Topic] = 0
			names = append(names, tp.Topic)
		}
	}
	if len(names) == 0 {
		return nil, nil
	}
	topics, err := c.topics(ctx, names...)
	if err != nil {
		return nil, err
	}
	for _, t := range topics {
		partitions[t.Name] = len(t.Partitions)
	}
	var tps []TopicPartition
	for tp := range lags {
		if int(tp.Partition) < partitions[tp.Topic] {
			tps = append(tps, tp)
		}
	}
	slices.SortFunc(tps, compareTP)
	return tps, nil
}

// DeleteGroup deletes a group and its committed offsets; ErrGroupNotEmpty while it has members, ErrUnknownGroup if there
// is none.
func (c *Client) DeleteGroup(ctx context.Context, name string) error {
	req := &sarama.DeleteGroupsRequest{Version: 2, Groups: []string{name}}
	var answerLost bool // an answer was lost: we may have deleted the group
	send := trackLost((*sarama.Broker).DeleteGroups, &answerLost)
	err := askCoordinator(ctx, c, c.shared, coordinated{sarama.CoordinatorGroup, name}, send, req,
		func(res *sarama.DeleteGroupsResponse) error { return codeError(res.GroupErrorCodes[name]) })
	if err != nil && !(answerLost && errors.Is(err, ErrUnknownGroup)) {
		return fmt.Errorf("kafka: delete group %s: %w", name, err)
	}
	return nil
}

// DeleteGroupOffsets deletes the committed offsets of some partitions. It fails with ErrGroupNotEmpty while members of
// the group subscribe to their topics.
func (c *Client) DeleteGroupOffsets(ctx context.Context, name string, tps []TopicPartition) error {
	if len(tps) == 0 {
		return nil
	}
	req := &sarama.DeleteOffsetsRequest{Group: name}
	for _, tp := range tps {
		req.AddPartition(tp.Topic, tp.Partition)
	}
	err := askCoordinator(ctx, c, c.shared, coordinated{sarama.CoordinatorGroup, name}, (*sarama.Broker).DeleteOffsets, req,
		func(res *sarama.DeleteOffsetsResponse) error {
			if err := codeError(res.ErrorCode); err != nil {
				return err
			}
			return firstCode(res.Errors)
		})
	if err != nil {
		return fmt.Errorf("kafka: delete offsets of group %s: %w", name, err)
	}
	return nil
}
