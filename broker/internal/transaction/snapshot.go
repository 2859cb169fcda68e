package transaction

// Snapshot is the complete state of a transactional id. All of it must survive a crash. Times are in ms since 1970.
type Snapshot struct {
	ID         string
	Producer   Producer
	Last       Producer // the producer whose request led to Producer and may be retried; NoProducer if none
	Timeout    int32    // ms
	State      State
	Started    int64 // of the open transaction
	Updated    int64
	Partitions []Partition // of the open transaction
	Groups     []string    // groups whose offsets are committed with it
}

// Partition identifies a partition. Topic is the log's number of the topic.
type Partition struct {
	Topic     uint32
	Partition int32
}

// Snapshot returns the current state. It shares memory with the Transaction until the next input.
func (t *Transaction) Snapshot() Snapshot { return t.state }

// Unsaved returns the state if it has changed since the last call of Unsaved.
func (t *Transaction) Unsaved() (Snapshot, bool) {
	changed := t.changed
	t.changed = false
	return t.state, changed
}
