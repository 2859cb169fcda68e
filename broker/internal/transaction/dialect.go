package transaction

import "github.com/twmb/franz-go/pkg/kerr"

// Dialect says what a client supports, according to the version of its request. The zero Dialect is the oldest.
type Dialect struct {
	KnowsFencing bool // supports PRODUCER_FENCED (KIP-588); others get INVALID_PRODUCER_EPOCH
	KnowsAbort   bool // supports TRANSACTION_ABORTABLE (KIP-890); others get INVALID_TXN_STATE
	// Second: the client uses transaction.version=2 (KIP-890). Writing to a partition adds it to the transaction, and
	// each end of a transaction increments the epoch.
	Second bool
}

// fenced is the error for a producer that another one has replaced.
func (d Dialect) fenced() error {
	if d.KnowsFencing {
		return kerr.ProducerFenced
	}
	return kerr.InvalidProducerEpoch
}

// notInTransaction is the error for a write to what is not part of the transaction.
func (d Dialect) notInTransaction() error {
	if d.KnowsAbort {
		return kerr.TransactionAbortable
	}
	return kerr.InvalidTxnState
}
