package transaction

import "time"

// Retention is how long an unused transactional id is kept, Kafka's transactional.id.expiration.ms.
const Retention = 7 * 24 * time.Hour

// Overdue reports whether the transaction has exceeded its timeout, so that the caller must call [Transaction.TimeOut].
func (t *Transaction) Overdue(now time.Time) bool {
	return t.state.State == Ongoing && now.UnixMilli() >= t.state.Started+int64(t.state.Timeout)
}

// TimeOut aborts an overdue transaction and fences its producer.
func (t *Transaction) TimeOut(now time.Time) Ending {
	if !t.Overdue(now) {
		return Ending{}
	}
	t.state.Producer = t.state.Producer.fenced()
	t.touch(now)
	return t.end(Aborted, t.state.Producer)
}

// Expired reports whether the transactional id may be forgotten: no transaction is open, and it has not been used for
// Retention.
func (t *Transaction) Expired(now time.Time) bool {
	return t.state.State != Ongoing && now.UnixMilli()-t.state.Updated > Retention.Milliseconds()
}
