package transaction

import "github.com/twmb/franz-go/pkg/kerr"

// Dialect is what a client means and understands by the version of its request. The zero Dialect is the oldest.
type Dialect struct {
	KnowsFencing bool // PRODUCER_FENCED (KIP-588); others hear INVALID_PRODUCER_EPOCH
	KnowsAbort   bool // TRANSACTION_ABORTABLE (KIP-890); others hear INVALID_TXN_STATE
	// Second: the client is at transaction.version=2 (KIP-890). What it writes to becomes part of its transaction without
	// being added, and with every end it gets a new epoch.
	Second bool
}

// fenced is how a producer hears that another has taken its place.
func (d Dialect) fenced() error {
	if d.KnowsFencing {
		return kerr.ProducerFenced
	}
	return kerr.InvalidProducerEpoch
}

// outside is how a producer hears that what it wants is not part of its transaction.
func (d Dialect) outside() error {
	if d.KnowsAbort {
		return kerr.TransactionAbortable
	}
	return kerr.InvalidTxnState
}
