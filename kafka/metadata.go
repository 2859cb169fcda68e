package kafka

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/IBM/sarama"
)

// metadata caches what the client knows about the cluster. Entries are loaded on demand. A stale entry is discovered by
// the error code of the wrong broker, and then looked up again.
type metadata struct {
	mu           sync.RWMutex
	brokers      map[int32]string // address by broker id
	controller   int32
	cluster      string
	topics       map[string]map[int32]partitionLeader
	coordinators map[coordinated]string // address
}

type partitionLeader struct {
	broker int32
	epoch  int32 // -1 if unknown
}

// coordinated identifies something that has a coordinator: a group, or a transactional id.
type coordinated struct {
	kind sarama.CoordinatorType // sarama.CoordinatorGroup or sarama.CoordinatorTransaction
	name string
}

func (k coordinated) String() string {
	if k.kind == sarama.CoordinatorGroup {
		return "group " + k.name
	}
	return "transactional id " + k.name
}

func (m *metadata) init() {
	m.brokers = make(map[int32]string)
	m.topics = make(map[string]map[int32]partitionLeader)
	m.coordinators = make(map[coordinated]string)
}

// ClusterID returns the id of the cluster, which never changes; "" if the cluster has none.
func (c *Client) ClusterID() string {
	c.meta.mu.RLock()
	defer c.meta.mu.RUnlock()
	return c.meta.cluster
}

// addresses returns all addresses to try, known brokers first.
func (c *Client) addresses() []string {
	c.meta.mu.RLock()
	defer c.meta.mu.RUnlock()
	var addrs []string
	for _, addr := range c.meta.brokers {
		addrs = append(addrs, addr)
	}
	for _, addr := range c.cfg.Brokers {
		if !slices.Contains(addrs, addr) {
			addrs = append(addrs, addr)
		}
	}
	return addrs
}

// askAny sends req to one broker after another until one answers; ErrNoBroker if none does.
func askAny[Req, Res any](ctx context.Context, c *Client, send func(*sarama.Broker, Req) (Res, error), req Req) (Res, error) {
	var none Res
	var tried []string
	addrs := c.addresses()
	for _, addr := range addrs {
		res, err := askBriefly(ctx, c, addr, c.cfg.DialTimeout/time.Duration(len(addrs)), send, req)
		if err == nil {
			return res, nil
		}
		if !lost(err) && ctx.Err() == nil {
			return none, err
		}
		tried = append(tried, err.Error())
		if ctx.Err() != nil {
			break
		}
	}
	err := fmt.Errorf("%w (%s)", ErrNoBroker, strings.Join(tried, "; "))
	if ctx.Err() != nil {
		err = fmt.Errorf("%w; before: %w", context.Cause(ctx), err)
	}
	return none, err
}

// askBriefly is like ask over the shared connection to addr, with a time limit, so that a broker that does not answer leaves
// time to ask the others.
func askBriefly[Req, Res any](ctx context.Context, c *Client, addr string, limit time.Duration,
	send func(*sarama.Broker, Req) (Res, error), req Req,
) (Res, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return ask(ctx, c.shared.get(addr), send, req)
}

// describe requests the metadata of topics, or of all topics, and caches it.
func (c *Client) describe(ctx context.Context, topics ...string) (*sarama.MetadataResponse, error) {
	req := sarama.NewMetadataRequest(c.conf.Version, topics)
	res, err := askAny(ctx, c, (*sarama.Broker).GetMetadata, req)
	if err != nil {
		return nil, err
	}
	if len(res.Brokers) == 0 {
		return nil, codeError(sarama.ErrBrokerNotAvailable) // the broker is still starting
	}
	c.meta.mu.Lock()
	defer c.meta.mu.Unlock()
	clear(c.meta.brokers)
	for _, b := range res.Brokers {
		c.meta.brokers[b.ID()] = b.Addr()
	}
	c.meta.controller = res.ControllerID
	if res.ClusterID != nil {
		c.meta.cluster = *res.ClusterID
	}
	for _, t := range res.Topics {
		delete(c.meta.topics, t.Name)
		if t.Err == sarama.ErrNoError {
			c.meta.topics[t.Name] = leaders(t)
		}
	}
	return res, nil
}

// leaders returns the leaders of a topic's partitions. A partition without a leader has broker -1.
func leaders(t *sarama.TopicMetadata) map[int32]partitionLeader {
	found := make(map[int32]partitionLeader, len(t.Partitions))
	for _, p := range t.Partitions {
		leader := partitionLeader{p.Leader, -1}
		if p.Version >= 7 {
			leader.epoch = p.LeaderEpoch
		}
		found[p.ID] = leader
	}
	return found
}

// refresh reloads the metadata of topics; without topics, of the brokers and all topics. It fails if any topic has an
// error.
func (c *Client) refresh(ctx context.Context, topics ...string) error {
	res, err := c.describe(ctx, topics...)
	if err != nil || len(topics) == 0 {
		return err
	}
	for _, t := range res.Topics {
		if err := codeError(t.Err); err != nil {
			return fmt.Errorf("topic %s: %w", t.Name, err)
		}
	}
	return nil
}

// lookUp looks up the leaders of those of tps without a cached one, and returns an error for each that has no leader.
// It does not wait for an election: such an error is retriable.
func (c *Client) lookUp(ctx context.Context, tps []TopicPartition) map[TopicPartition]error {
	var topics []string
	for _, tp := range tps {
		if _, _, err := c.knownLeader(tp); err != nil && !slices.Contains(topics, tp.Topic) {
			topics = append(topics, tp.Topic)
		}
	}
	if len(topics) == 0 {
		return nil
	}
	res, err := c.describe(ctx, topics...)
	ofTopic := make(map[string]error)
	if err == nil {
		for _, t := range res.Topics {
			ofTopic[t.Name] = codeError(t.Err)
		}
	}
	errs := make(map[TopicPartition]error)
	for _, tp := range tps {
		_, _, failure := c.knownLeader(tp)
		switch {
		case failure == nil:
		case err != nil:
			errs[tp] = err
		case ofTopic[tp.Topic] != nil:
			errs[tp] = ofTopic[tp.Topic]
		default:
			errs[tp] = failure
		}
	}
	return errs
}

// knownLeader returns the address of the cached leader of tp and its leader epoch.
func (c *Client) knownLeader(tp TopicPartition) (addr string, epoch int32, err error) {
	c.meta.mu.RLock()
	defer c.meta.mu.RUnlock()
	leader, ok := c.meta.topics[tp.Topic][tp.Partition]
	if !ok {
		return "", 0, codeError(sarama.ErrUnknownTopicOrPartition)
	}
	addr, ok = c.meta.brokers[leader.broker]
	if !ok {
		return "", 0, codeError(sarama.ErrLeaderNotAvailable)
	}
	return addr, leader.epoch, nil
}

// forgetLeader removes the leader of tp from the cache.
func (c *Client) forgetLeader(tp TopicPartition) {
	c.meta.mu.Lock()
	defer c.meta.mu.Unlock()
	if _, ok := c.meta.topics[tp.Topic][tp.Partition]; ok {
		c.meta.topics[tp.Topic][tp.Partition] = partitionLeader{-1, -1}
	}
}

// coordinator returns the address of the coordinator of k, from the cache or by a lookup. It does not wait for an
// election or for the creation of the coordinator's topics: the error is then retriable.
func (c *Client) coordinator(ctx context.Context, k coordinated) (addr string, err error) {
	c.meta.mu.RLock()
	addr, ok := c.meta.coordinators[k]
	c.meta.mu.RUnlock()
	if ok {
		return addr, nil
	}
	req := &sarama.FindCoordinatorRequest{Version: 3, CoordinatorKey: k.name, CoordinatorType: k.kind}
	res, err := askAny(ctx, c, (*sarama.Broker).FindCoordinator, req)
	if err == nil {
		err = codeErrorMessage(res.Err, res.ErrMsg)
	}
	if err != nil {
		return "", fmt.Errorf("coordinator of %v: %w", k, err)
	}
	addr = res.Coordinator.Addr()
	c.meta.mu.Lock()
	defer c.meta.mu.Unlock()
	c.meta.coordinators[k] = addr
	return addr, nil
}

// forgetCoordinator removes the coordinator of k from the cache.
func (c *Client) forgetCoordinator(k coordinated) {
	c.meta.mu.Lock()
	defer c.meta.mu.Unlock()
	delete(c.meta.coordinators, k)
}

// askCoordinator sends req to the coordinator of k over a connection of p, and passes the answer to check, which
// returns the error in it. It retries retriable errors, after a new lookup if that may help.
func askCoordinator[Req, Res any](ctx context.Context, c *Client, p *pool, k coordinated,
	send func(*sarama.Broker, Req) (Res, error), req Req, check func(Res) error,
) error {
	return c.retry(ctx, func() error {
		addr, err := c.coordinator(ctx, k)
		if err != nil {
			return err
		}
		res, err := ask(ctx, p.get(addr), send, req)
		if err == nil {
			err = check(res)
		}
		if lost(err) || hasCode(err, sarama.ErrNotCoordinatorForConsumer, sarama.ErrConsumerCoordinatorNotAvailable) {
			c.forgetCoordinator(k)
		}
		return err
	})
}

// trackLost wraps send and sets answerLost if an answer was lost: an error of a later attempt then says nothing about
// the first one.
func trackLost[Req, Res any](send func(*sarama.Broker, Req) (Res, error), answerLost *bool) func(*sarama.Broker, Req) (Res, error) {
	return func(b *sarama.Broker, req Req) (Res, error) {
		res, err := send(b, req)
		*answerLost = *answerLost || err != nil
		return res, err
	}
}

// withUnknownOutcome adds ErrOutcomeUnknown to err if an answer was lost.
func withUnknownOutcome(err error, answerLost bool) error {
	if err == nil || !answerLost {
		return err
	}
	return fmt.Errorf("%w: %w", ErrOutcomeUnknown, err)
}

// Partitions returns the number of partitions of topic, as last loaded from the cluster; ErrUnknownTopic if there is no
// such topic.
func (c *Client) Partitions(ctx context.Context, topic string) (int32, error) {
	c.meta.mu.RLock()
	n := len(c.meta.topics[topic])
	c.meta.mu.RUnlock()
	if n > 0 {
		return int32(n), nil
	}
	err := c.retry(ctx, func() error { return c.refresh(ctx, topic) })
	if err != nil {
		return 0, fmt.Errorf("kafka: partitions of %s: %w", topic, err)
	}
	c.meta.mu.RLock()
	defer c.meta.mu.RUnlock()
	return int32(len(c.meta.topics[topic])), nil
}
