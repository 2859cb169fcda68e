package kafka

import (
	"errors"
	"fmt"

	"github.com/IBM/sarama"
)

// Errors for users: someone has to fix something outside of the program.
var (
	// ErrNoBroker: none of the known addresses answered.
	ErrNoBroker = errors.New("no broker answered")
	// ErrUnknownTopic: the broker does not know the topic or partition.
	ErrUnknownTopic = errors.New("unknown topic or partition")
	// ErrTopicExists: a topic of that name exists already.
	ErrTopicExists = errors.New("topic exists already")
	// ErrInvalidTopic: Kafka allows no topic of that name.
	ErrInvalidTopic = errors.New("invalid topic name")
	// ErrRecordTooLarge: the broker refuses a record, or a batch, because of its size.
	ErrRecordTooLarge = errors.New("record too large")
	// ErrNotAuthorized: the cluster accepts our credentials but does not permit the operation.
	ErrNotAuthorized = errors.New("not authorized")
	// ErrAuthentication: the cluster rejects the user, the password or the mechanism.
	ErrAuthentication = errors.New("authentication failed")
	// ErrGroupNotEmpty: the group still has members.
	ErrGroupNotEmpty = errors.New("group has members")
	// ErrUnknownGroup: there is no such group.
	ErrUnknownGroup = errors.New("unknown group")
	// ErrRefused: the broker rejects the request as invalid, for example because of an unknown topic setting.
	ErrRefused = errors.New("refused by the broker")
	// ErrUnsupported: the broker is too old, or too new, for the request.
	ErrUnsupported = errors.New("not supported by the broker")
	// ErrCorrupt: a batch does not match its checksum, or an answer cannot be decoded.
	ErrCorrupt = errors.New("corrupt data")
)

// Errors for control flow: the program can handle them and continue.
var (
	// ErrClosed: the client, fetcher or producer has been closed.
	ErrClosed = errors.New("closed")
	// ErrFenced: a newer producer with the same transactional id exists, or the transaction coordinator has fenced this
	// one, for example because a transaction exceeded its timeout. The open transaction is aborted. Make a new Producer
	// and continue from the committed offsets.
	ErrFenced = errors.New("producer is fenced")
	// ErrProducerState: the broker's state of this producer does not match the batch it received. As with ErrFenced,
	// make a new Producer.
	ErrProducerState = errors.New("broker and producer disagree")
	// ErrOutcomeUnknown: a batch, or the end of a transaction, was sent but no answer came, so it may or may not have
	// taken effect. Make a new Producer and read the committed offsets.
	ErrOutcomeUnknown = errors.New("outcome unknown")
	// ErrIllegalGeneration: the group has started a newer generation than the member's.
	ErrIllegalGeneration = errors.New("illegal generation")
	// ErrUnknownMember: the group does not know this member, or has removed it.
	ErrUnknownMember = errors.New("unknown member")
	// ErrFencedInstance: another process uses this static member's instance id.
	ErrFencedInstance = errors.New("instance id is in use by another member")
	// ErrRebalanceInProgress: the group is rebalancing; join again.
	ErrRebalanceInProgress = errors.New("rebalance in progress")
	// ErrOffsetOutOfRange: the offset was deleted or is not written yet.
	ErrOffsetOutOfRange = errors.New("offset out of range")
)

// A code is an error code of the protocol together with the sentinel that errors.Is matches. The codes are those of
// https://kafka.apache.org/protocol#protocol_error_codes.
type code struct {
	name     string
	sentinel error // nil if no caller has to distinguish it
	retry    bool  // temporary: ask again, perhaps another broker
}

var codes = map[sarama.KError]code{
	-1:  {"UNKNOWN_SERVER_ERROR", nil, false},
	1:   {"OFFSET_OUT_OF_RANGE", ErrOffsetOutOfRange, false},
	2:   {"CORRUPT_MESSAGE", ErrCorrupt, false},
	3:   {"UNKNOWN_TOPIC_OR_PARTITION", ErrUnknownTopic, false},
	5:   {"LEADER_NOT_AVAILABLE", nil, true},
	6:   {"NOT_LEADER_OR_FOLLOWER", nil, true},
	7:   {"REQUEST_TIMED_OUT", nil, true},
	8:   {"BROKER_NOT_AVAILABLE", nil, true},
	9:   {"REPLICA_NOT_AVAILABLE", nil, true},
	10:  {"MESSAGE_TOO_LARGE", ErrRecordTooLarge, false},
	13:  {"NETWORK_EXCEPTION", nil, true},
	14:  {"COORDINATOR_LOAD_IN_PROGRESS", nil, true},
	15:  {"COORDINATOR_NOT_AVAILABLE", nil, true},
	16:  {"NOT_COORDINATOR", nil, true},
	17:  {"INVALID_TOPIC_EXCEPTION", ErrInvalidTopic, false},
	18:  {"RECORD_LIST_TOO_LARGE", ErrRecordTooLarge, false},
	19:  {"NOT_ENOUGH_REPLICAS", nil, true},
	20:  {"NOT_ENOUGH_REPLICAS_AFTER_APPEND", nil, true},
	22:  {"ILLEGAL_GENERATION", ErrIllegalGeneration, false},
	25:  {"UNKNOWN_MEMBER_ID", ErrUnknownMember, false},
	27:  {"REBALANCE_IN_PROGRESS", ErrRebalanceInProgress, false},
	29:  {"TOPIC_AUTHORIZATION_FAILED", ErrNotAuthorized, false},
	30:  {"GROUP_AUTHORIZATION_FAILED", ErrNotAuthorized, false},
	31:  {"CLUSTER_AUTHORIZATION_FAILED", ErrNotAuthorized, false},
	32:  {"INVALID_TIMESTAMP", ErrRefused, false},
	33:  {"UNSUPPORTED_SASL_MECHANISM", ErrAuthentication, false},
	34:  {"ILLEGAL_SASL_STATE", ErrAuthentication, false},
	35:  {"UNSUPPORTED_VERSION", ErrUnsupported, false},
	36:  {"TOPIC_ALREADY_EXISTS", ErrTopicExists, false},
	37:  {"INVALID_PARTITIONS", ErrRefused, false},
	38:  {"INVALID_REPLICATION_FACTOR", ErrRefused, false},
	39:  {"INVALID_REPLICA_ASSIGNMENT", ErrRefused, false},
	40:  {"INVALID_CONFIG", ErrRefused, false},
	41:  {"NOT_CONTROLLER", nil, true},
	42:  {"INVALID_REQUEST", ErrRefused, false},
	44:  {"POLICY_VIOLATION", ErrRefused, false},
	45:  {"OUT_OF_ORDER_SEQUENCE_NUMBER", ErrProducerState, false},
	47:  {"INVALID_PRODUCER_EPOCH", ErrFenced, false},
	48:  {"INVALID_TXN_STATE", ErrProducerState, false},
	49:  {"INVALID_PRODUCER_ID_MAPPING", ErrProducerState, false},
	50:  {"INVALID_TRANSACTION_TIMEOUT", ErrRefused, false},
	51:  {"CONCURRENT_TRANSACTIONS", nil, true},
	53:  {"TRANSACTIONAL_ID_AUTHORIZATION_FAILED", ErrNotAuthorized, false},
	56:  {"KAFKA_STORAGE_ERROR", nil, true},
	58:  {"SASL_AUTHENTICATION_FAILED", ErrAuthentication, false},
	59:  {"UNKNOWN_PRODUCER_ID", ErrProducerState, false},
	68:  {"NON_EMPTY_GROUP", ErrGroupNotEmpty, false},
	69:  {"GROUP_ID_NOT_FOUND", ErrUnknownGroup, false},
	72:  {"LISTENER_NOT_FOUND", nil, true},
	74:  {"FENCED_LEADER_EPOCH", nil, true},
	75:  {"UNKNOWN_LEADER_EPOCH", nil, true},
	78:  {"OFFSET_NOT_AVAILABLE", nil, true},
	82:  {"FENCED_INSTANCE_ID", ErrFencedInstance, false},
	86:  {"GROUP_SUBSCRIBED_TO_TOPIC", ErrGroupNotEmpty, false},
	87:  {"INVALID_RECORD", ErrRefused, false},
	88:  {"UNSTABLE_OFFSET_COMMIT", nil, true},
	89:  {"THROTTLING_QUOTA_EXCEEDED", nil, true},
	90:  {"PRODUCER_FENCED", ErrFenced, false},
	120: {"TRANSACTION_ABORTABLE", ErrProducerState, false},
}

// A brokerError is an error code in a broker's answer.
type brokerError struct {
	code    sarama.KError
	message string // the broker's explanation, if any
}

// codeError returns the error for an error code of the protocol, nil for 0.
func codeError(c sarama.KError) error {
	if c == sarama.ErrNoError {
		return nil
	}
	return &brokerError{code: c}
}

// codeErrorMessage is like codeError with the broker's explanation.
func codeErrorMessage(c sarama.KError, message *string) error {
	if c == sarama.ErrNoError {
		return nil
	}
	e := &brokerError{code: c}
	if message != nil {
		e.message = *message
	}
	return e
}

func (e *brokerError) Error() string {
	known, ok := codes[e.code]
	text := known.name
	switch {
	case !ok:
		text = fmt.Sprintf("%s (code %d)", e.code.Error(), int16(e.code))
	case known.sentinel != nil:
		text = fmt.Sprintf("%v (%s)", known.sentinel, known.name)
	}
	if e.message != "" {
		text += ": " + e.message
	}
	return text
}

func (e *brokerError) Unwrap() error { return codes[e.code].sentinel }

// hasCode reports whether err carries one of the given codes.
func hasCode(err error, cs ...sarama.KError) bool {
	var e *brokerError
	if !errors.As(err, &e) {
		return false
	}
	for _, c := range cs {
		if e.code == c {
			return true
		}
	}
	return false
}

// A PartitionError is an error of one partition, for example that its topic does not exist.
type PartitionError struct {
	TopicPartition
	Err error
}

// Error returns the partition and the error.
func (e *PartitionError) Error() string { return fmt.Sprintf("%v: %v", e.TopicPartition, e.Err) }

// Unwrap returns the error without the partition.
func (e *PartitionError) Unwrap() error { return e.Err }

// A connError is a failure of a connection.
type connError struct {
	addr string
	sent bool // the request may have reached the broker
	err  error
}

func (e *connError) Error() string { return fmt.Sprintf("broker %s: %v", e.addr, e.err) }
func (e *connError) Unwrap() error { return e.err }

// lost reports whether err is the failure of a connection.
func lost(err error) bool {
	var e *connError
	return errors.As(err, &e)
}

// unanswered reports whether the request behind err may have taken effect, because its answer never came.
func unanswered(err error) bool {
	var e *connError
	return errors.As(err, &e) && e.sent
}

// retriable reports whether a retry may help: the connection failed, or the error code is retriable.
func retriable(err error) bool {
	if errors.Is(err, ErrClosed) {
		return false
	}
	var e *brokerError
	if errors.As(err, &e) {
		return codes[e.code].retry
	}
	return lost(err) || errors.Is(err, ErrNoBroker)
}
