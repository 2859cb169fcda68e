package transaction

import "math"

// Producer is a producer id and an epoch.
type Producer struct {
	ID    int64
	Epoch int16
}

// NoProducer means no producer.
var NoProducer = Producer{ID: -1, Epoch: -1}

// lastEpoch is the last epoch that a producer can get. The one after it is reserved for fencing its owner.
const lastEpoch = math.MaxInt16 - 1

// fenced returns p with the next epoch, which no producer gets: markers that carry it fence p.
func (p Producer) fenced() Producer { return Producer{p.ID, p.Epoch + 1} }

// advanceEpoch increments the epoch of the transactional id, and gives it a new producer id when the epochs are used
// up.
func (t *Transaction) advanceEpoch() {
	if p := &t.state.Producer; p.ID >= 0 && p.Epoch < lastEpoch {
		p.Epoch++
	} else {
		*p = Producer{ID: t.newProducerID()}
	}
}
