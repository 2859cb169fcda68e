package kafka

// A rebalanceQueue passes rebalances from the heartbeat goroutine to the owner. The queue is unbounded, so the
// heartbeat goroutine never waits for the owner. Rebalances arrive one by one and in order; after one that needs an
// Ack, the next one waits for it.
type rebalanceQueue struct {
	pushed  chan queuedRebalance
	out     chan Rebalance
	acks    chan struct{}
	quit    chan struct{}
	stopped chan struct{}
}

// A queuedRebalance is a rebalance in the queue. acked is closed when the owner has released its partitions.
type queuedRebalance struct {
	Rebalance
	acked chan struct{}
}

func newRebalanceQueue() rebalanceQueue {
	return rebalanceQueue{
		pushed:  make(chan queuedRebalance),
		out:     make(chan Rebalance),
		acks:    make(chan struct{}),
		quit:    make(chan struct{}),
		stopped: make(chan struct{}),
	}
}

// Rebalances returns the channel of changes to what the member owns. Leave closes it.
func (c *rebalanceQueue) Rebalances() <-chan Rebalance { return c.out }

// Ack reports that the owner has committed and released what the last Rebalance revoked, or dropped what was lost; only
// then does the member join again. After a Rebalance that only adds partitions, Ack is unnecessary and does nothing.
func (c *rebalanceQueue) Ack() {
	select {
	case c.acks <- struct{}{}:
	case <-c.quit:
	}
}

// push queues a rebalance. The returned channel is closed by the owner's Ack; it is nil if none is needed.
func (c *rebalanceQueue) push(r Rebalance) <-chan struct{} {
	p := queuedRebalance{Rebalance: r}
	if r.needsAck() {
		p.acked = make(chan struct{})
	}
	c.pushed <- p
	return p.acked
}

// deliver runs until stop. One goroutine both sends rebalances and receives Acks, so it knows which rebalance an Ack
// belongs to, even if the owner acknowledges every one.
func (c *rebalanceQueue) deliver() {
	defer close(c.stopped)
	defer close(c.out)
	var waiting []queuedRebalance
	var releasing chan struct{}
	for {
		var out chan<- Rebalance
		var next Rebalance
		if len(waiting) > 0 && releasing == nil {
			out, next = c.out, waiting[0].Rebalance
		}
		select {
		case p := <-c.pushed:
			waiting = append(waiting, p)
		case out <- next:
			releasing = waiting[0].acked
			waiting = waiting[1:]
		case <-c.acks:
			if releasing != nil {
				close(releasing)
				releasing = nil
			}
		case <-c.quit:
			return
		}
	}
}

// stop ends deliver. Nothing may be pushed afterwards.
func (c *rebalanceQueue) stop() {
	close(c.quit)
	<-c.stopped
}
