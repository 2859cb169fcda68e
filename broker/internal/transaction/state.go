package transaction

// State is the state of a transactional id. The numbers are those of the disk format.
type State byte

const (
	// Empty: no transaction has begun since the producer was initialized.
	Empty State = iota
	// Ongoing: a transaction is open.
	Ongoing
	// Committed: the last transaction was committed.
	Committed
	// Aborted: the last transaction was aborted.
	Aborted
)

// String returns the name that Kafka's DescribeTransactions and ListTransactions use.
func (s State) String() string {
	return [...]string{"Empty", "Ongoing", "CompleteCommit", "CompleteAbort"}[s]
}
