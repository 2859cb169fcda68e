package transaction

// Snapshot is all that there is to know of a transactional id. All of it must survive a crash. Times are in ms since 1970.
type Snapshot struct {
	ID         string
	Producer   Producer
	Last       Producer // whose request led to Producer and may be repeated, NoProducer for nobody's
	Timeout    int32    // ms
	State      State
	Started    int64 // of the open transaction
	Updated    int64
	Partitions []Partition // of the open transaction
	Groups     []string    // that commit offsets with it
}

// Partition names a partition. Topic is the number that the log knows a topic by.
type Partition struct {
	Topic     uint32
	Partition int32
}

// Snapshot returns the state as it is. It shares memory with the Transaction until the next input.
func (t *Transaction) Snapshot() Snapshot { return t.state }

// Unsaved returns the state if it has changed since Unsaved was called last.
func (t *Transaction) Unsaved() (Snapshot, bool) {
	changed := t.changed
	t.changed = false
	return t.state, changed
}
