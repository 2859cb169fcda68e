package transaction

import "time"

// Retention is how long a transactional id that nobody uses is remembered, Kafka's transactional.id.expiration.ms.
const Retention = 7 * 24 * time.Hour

// Overdue reports whether the transaction is open for too long: [Transaction.TimeOut] has to be called.
func (t *Transaction) Overdue(now time.Time) bool {
	return t.state.State == Ongoing && now.UnixMilli() >= t.state.Started+int64(t.state.Timeout)
}

// TimeOut aborts a transaction that is overdue, and fences its producer.
func (t *Transaction) TimeOut(now time.Time) Ending {
	if !t.Overdue(now) {
		return Ending{}
	}
	t.state.Producer = t.state.Producer.fenced()
	t.touch(now)
	return t.end(Aborted, t.state.Producer)
}

// Expired reports whether the transactional id may be forgotten: nothing is open, and nobody has used it for long.
func (t *Transaction) Expired(now time.Time) bool {
	return t.state.State != Ongoing && now.UnixMilli()-t.state.Updated > Retention.Milliseconds()
}
