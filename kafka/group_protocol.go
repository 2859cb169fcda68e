package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/IBM/sarama"
)

// The four requests of a group member, https://kafka.apache.org/protocol. Members use the protocol type "consumer", so
// that any tool can describe them: subscription and assignment are those of ConsumerProtocolSubscription.json (version
// 3, with owned partitions and the generation they were assigned in) and ConsumerProtocolAssignment.json.
const (
	protocolType        = "consumer"
	subscriptionVersion = 3
	assignmentVersion   = 3
)

// join joins the next generation of the group. It returns when all other members have joined.
func (m *Membership) join(ctx context.Context) (*sarama.JoinGroupResponse, error) {
	req := &sarama.JoinGroupRequest{
		Version:          8,
		GroupId:          m.cfg.Group,
		SessionTimeout:   int32(m.cfg.SessionTimeout.Milliseconds()),
		RebalanceTimeout: int32(m.cfg.RebalanceTimeout.Milliseconds()),
		MemberId:         m.memberID,
		GroupInstanceId:  m.Ref().instance(),
		ProtocolType:     protocolType,
	}
	subscription := &sarama.ConsumerGroupMemberMetadata{
		Version:         subscriptionVersion,
		Topics:          m.cfg.Topics,
		UserData:        m.cfg.UserData(),
		OwnedPartitions: ownedPartitions(m.owned),
		GenerationID:    m.generation,
	}
	for _, a := range m.cfg.Assignors {
		if err := req.AddGroupProtocolMetadata(a.Name(), subscription); err != nil {
			return nil, fmt.Errorf("join: %w", err)
		}
	}
	code := func(r *sarama.JoinGroupResponse) sarama.KError { return r.Err }
	res, err := askWithHeartbeats(ctx, m, (*sarama.Broker).JoinGroup, req, code)
	if hasCode(err, sarama.ErrMemberIdRequired) {
		m.memberID, req.MemberId = res.MemberId, res.MemberId
		res, err = askWithHeartbeats(ctx, m, (*sarama.Broker).JoinGroup, req, code)
	}
	if hasCode(err, sarama.ErrInconsistentGroupProtocol) {
		return nil, fmt.Errorf("join: the other members of the group offer no assignor that this one has (%s): %w", assignorNames(m.cfg.Assignors), err)
	}
	if err != nil {
		return nil, fmt.Errorf("join: %w", err)
	}
	m.memberID, m.generation = res.MemberId, res.GenerationId
	m.leads = res.LeaderId == res.MemberId
	m.publish()
	return res, nil
}

// sync returns the member's assignment; the leader also sends the assignments of all members.
func (m *Membership) sync(ctx context.Context, joined *sarama.JoinGroupResponse) (Assignment, error) {
	req := &sarama.SyncGroupRequest{
		Version:         5,
		GroupId:         m.cfg.Group,
		GenerationId:    m.generation,
		MemberId:        m.memberID,
		GroupInstanceId: m.Ref().instance(),
		ProtocolType:    new(protocolType),
		ProtocolName:    new(joined.GroupProtocol),
	}
	if m.leads {
		if err := m.assign(ctx, joined, req); err != nil {
			return Assignment{}, fmt.Errorf("assign: %w", err)
		}
	}
	res, err := askWithHeartbeats(ctx, m, (*sarama.Broker).SyncGroup, req, func(r *sarama.SyncGroupResponse) sarama.KError { return r.Err })
	if err != nil {
		return Assignment{}, fmt.Errorf("sync: %w", err)
	}
	return decodeAssignment(res)
}

// assign adds the assignment of every member to req.
func (m *Membership) assign(ctx context.Context, joined *sarama.JoinGroupResponse, req *sarama.SyncGroupRequest) error {
	assignor := named(m.cfg.Assignors, joined.GroupProtocol)
	if assignor == nil {
		return fmt.Errorf("%w: the group uses assignor %q, which this member does not offer", ErrCorrupt, joined.GroupProtocol)
	}
	members, generations := decodeMembers(joined)
	ctx, cancel := context.WithTimeout(ctx, m.cfg.SessionTimeout/2)
	defer cancel()
	counts, err := m.partitionCounts(ctx, subscribed(members))
	if err != nil {
		return err
	}
	m.assignedCounts = counts
	for id, a := range assign(assignor, members, generations, counts) {
		err := req.AddGroupAssignmentMember(id, &sarama.ConsumerGroupMemberAssignment{
			Version: assignmentVersion, Topics: byTopic(a.Partitions), UserData: a.UserData,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// heartbeat sends a heartbeat and returns ErrRebalanceInProgress if a new round has begun.
func (m *Membership) heartbeat(ctx context.Context) error {
	err := m.sendHeartbeat(ctx, m.lastContact, m.heartbeatRequest())
	if answered(err) {
		m.lastContact = time.Now()
	}
	if retriable(err) {
		return nil // the next heartbeat tries again
	}
	return err
}

func (m *Membership) heartbeatRequest() *sarama.HeartbeatRequest {
	return &sarama.HeartbeatRequest{
		Version:         4,
		GroupId:         m.cfg.Group,
		GenerationId:    m.generation,
		MemberId:        m.memberID,
		GroupInstanceId: m.Ref().instance(),
	}
}

// sendHeartbeat sends one heartbeat. It waits until a session timeout has passed since lastContact; then it fails with
// errSessionTimeout.
func (m *Membership) sendHeartbeat(ctx context.Context, lastContact time.Time, req *sarama.HeartbeatRequest) error {
	ctx, cancel := context.WithTimeoutCause(ctx, m.cfg.SessionTimeout-time.Since(lastContact), errSessionTimeout)
	defer cancel()
	_, err := askMember(ctx, m, m.heartbeatPool, (*sarama.Broker).Heartbeat, req, func(r *sarama.HeartbeatResponse) sarama.KError { return r.Err })
	if err != nil && errors.Is(context.Cause(ctx), errSessionTimeout) {
		return errSessionTimeout
	}
	return err
}

// askWithHeartbeats sends a request that the coordinator answers only when all members have sent theirs, and sends
// heartbeats meanwhile. So the member learns that it has been removed, or that the coordinator is gone.
func askWithHeartbeats[Req, Res any](ctx context.Context, m *Membership,
	send func(*sarama.Broker, Req) (Res, error), req Req, code func(Res) sarama.KError,
) (Res, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watched := make(chan struct{})
	if m.generation < 0 { // no heartbeats before the first generation
		close(watched)
	} else {
		beat, lastContact := m.heartbeatRequest(), m.lastContact
		go func() {
			defer close(watched)
			cancel(m.heartbeatLoop(ctx, lastContact, beat))
		}()
	}
	res, err := askMember(ctx, m, m.joinPool, send, req, code)
	cancel(nil)
	<-watched
	if answered(err) {
		m.lastContact = time.Now()
	}
	return res, err
}

// heartbeatLoop sends heartbeats until ctx ends or a heartbeat shows that waiting is useless.
func (m *Membership) heartbeatLoop(ctx context.Context, lastContact time.Time, req *sarama.HeartbeatRequest) error {
	ticker := time.NewTicker(m.cfg.HeartbeatInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		err := m.sendHeartbeat(ctx, lastContact, req)
		switch {
		case errors.Is(err, ErrUnknownMember), errors.Is(err, ErrFencedInstance), errors.Is(err, errSessionTimeout):
			return err
		case answered(err):
			lastContact = time.Now()
		}
	}
}

// answered reports whether err is an answer of the coordinator.
func answered(err error) bool {
	var refused *brokerError
	return err == nil || errors.As(err, &refused) && !retriable(err)
}

// sendLeave sends LeaveGroup for the member.
func (m *Membership) sendLeave(ctx context.Context) error {
	req := &sarama.LeaveGroupRequest{
		Version:  5,
		GroupId:  m.cfg.Group,
		MemberId: m.memberID, // for brokers older than version 3 of the request
		Members:  []sarama.MemberIdentity{{MemberId: m.memberID, GroupInstanceId: m.Ref().instance()}},
	}
	err := askCoordinator(ctx, m.client, m.joinPool, m.key, (*sarama.Broker).LeaveGroup, req, func(res *sarama.LeaveGroupResponse) error {
		err := codeError(res.Err)
		for _, left := range res.Members {
			err = errors.Join(err, codeError(left.Err))
		}
		return err
	})
	if err == nil || errors.Is(err, ErrUnknownMember) {
		return nil
	}
	return fmt.Errorf("kafka: leave group %s: %w", m.cfg.Group, err)
}

// askMember sends one request to the group's coordinator. It does not retry: what a failure means depends on what the
// member owns. For an error code of the protocol, such as MEMBER_ID_REQUIRED, it returns both the answer and the error.
func askMember[Req, Res any](ctx context.Context, m *Membership, p *pool,
	send func(*sarama.Broker, Req) (Res, error), req Req, code func(Res) sarama.KError,
) (Res, error) {
	var none Res
	addr, err := m.client.coordinator(ctx, m.key)
	if err != nil {
		return none, err
	}
	res, err := ask(ctx, p.get(addr), send, req)
	if err == nil {
		err = codeError(code(res))
	}
	if lost(err) || hasCode(err, sarama.ErrNotCoordinatorForConsumer, sarama.ErrConsumerCoordinatorNotAvailable) {
		m.client.forgetCoordinator(m.key)
	}
	return res, err
}

// partitionCounts returns how many partitions each of topics has, 0 for one that does not exist.
func (m *Membership) partitionCounts(ctx context.Context, topics []string) (map[string]int32, error) {
	counts := make(map[string]int32, len(topics))
	for _, topic := range topics {
		counts[topic] = 0
	}
	if len(topics) == 0 {
		return counts, nil // an empty list would request all topics
	}
	res, err := m.client.describe(ctx, topics...)
	if err != nil {
		return nil, err
	}
	for _, t := range res.Topics {
		switch err := codeError(t.Err); {
		case err == nil:
			counts[t.Name] = int32(len(t.Partitions))
		case !errors.Is(err, ErrUnknownTopic):
			return nil, fmt.Errorf("topic %s: %w", t.Name, err)
		}
	}
	return counts, nil
}

// decodeMembers returns the members that joined, and the generation in which each got the partitions it claims. A
// member whose subscription cannot be decoded gets no partitions, so that it does not stop the others.
func decodeMembers(joined *sarama.JoinGroupResponse) (members []GroupMember, generations map[string]int32) {
	generations = make(map[string]int32)
	for _, joiner := range joined.Members {
		one := sarama.JoinGroupResponse{Members: []sarama.GroupMember{joiner}}
		subscriptions, err := one.GetMembers()
		if err != nil {
			continue
		}
		s := subscriptions[joiner.MemberId]
		member := GroupMember{ID: joiner.MemberId, Topics: s.Topics, UserData: s.UserData}
		if joiner.GroupInstanceId != nil {
			member.InstanceID = *joiner.GroupInstanceId
		}
		for _, owned := range s.OwnedPartitions {
			for _, p := range owned.Partitions {
				member.Owned = append(member.Owned, TopicPartition{owned.Topic, p})
			}
		}
		sortPartitions(member.Owned)
		members = append(members, member)
		generations[joiner.MemberId] = s.GenerationID
	}
	return members, generations
}

func decodeAssignment(res *sarama.SyncGroupResponse) (Assignment, error) {
	if len(res.MemberAssignment) == 0 {
		return Assignment{}, nil // the leader does not know this member: no partitions until the next round
	}
	wire, err := res.GetMemberAssignment()
	if err != nil {
		return Assignment{}, fmt.Errorf("assignment of the leader: %w: %w", ErrCorrupt, err)
	}
	a := Assignment{UserData: wire.UserData}
	for topic, partitions := range wire.Topics {
		for _, p := range partitions {
			a.Partitions = append(a.Partitions, TopicPartition{topic, p})
		}
	}
	return a, nil
}

func byTopic(tps []TopicPartition) map[string][]int32 {
	topics := make(map[string][]int32)
	for _, tp := range tps {
		topics[tp.Topic] = append(topics[tp.Topic], tp.Partition)
	}
	return topics
}

func ownedPartitions(owned []TopicPartition) []*sarama.OwnedPartition {
	var wire []*sarama.OwnedPartition
	for _, tp := range owned { // sorted, so the partitions of a topic are adjacent
		if n := len(wire); n == 0 || wire[n-1].Topic != tp.Topic {
			wire = append(wire, &sarama.OwnedPartition{Topic: tp.Topic})
		}
		last := wire[len(wire)-1]
		last.Partitions = append(last.Partitions, tp.Partition)
	}
	return wire
}
