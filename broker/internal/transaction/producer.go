package transaction

import "math"

// Producer is a producer id in an epoch.
type Producer struct {
	ID    int64
	Epoch int16
}

// NoProducer is nobody.
var NoProducer = Producer{ID: -1, Epoch: -1}

// lastEpoch is the last epoch that a producer is given. The one after it is kept for fencing its owner.
const lastEpoch = math.MaxInt16 - 1

// fenced is the producer in an epoch that nobody is given: markers that carry it fence p.
func (p Producer) fenced() Producer { return Producer{p.ID, p.Epoch + 1} }

// succeed gives the transactional id its next epoch, or a new producer id when there are no more epochs.
func (t *Transaction) succeed() {
	if p := &t.state.Producer; p.ID >= 0 && p.Epoch < lastEpoch {
		p.Epoch++
	} else {
		*p = Producer{ID: t.newProducerID()}
	}
}
