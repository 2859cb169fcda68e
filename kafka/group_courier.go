package kafka

// couriered hands rebalances from the goroutine that heartbeats to the owner, who may be busy: neither waits for the other.
// They arrive one by one and in order, and after one that revokes or loses something the next waits for its Ack.
type couriered struct {
	pushed  chan parcel
	out     chan Rebalance
	acks    chan struct{}
	quit    chan struct{}
	stopped chan struct{}
}

// parcel is a rebalance under way; acked is closed when the owner has released what it names.
type parcel struct {
	Rebalance
	acked chan struct{}
}

func newCouriered() couriered {
	return couriered{
		pushed:  make(chan parcel),
		out:     make(chan Rebalance),
		acks:    make(chan struct{}),
		quit:    make(chan struct{}),
		stopped: make(chan struct{}),
	}
}

// Rebalances tells the owner what becomes its own and what no longer is. Leave closes it.
func (c *couriered) Rebalances() <-chan Rebalance { return c.out }

// Ack says that the owner has committed and released what the last Rebalance revoked, or dropped what was lost; only then
// does the member join again. After a Rebalance that only adds, it is not needed and does nothing.
func (c *couriered) Ack() {
	select {
	case c.acks <- struct{}{}:
	case <-c.quit:
	}
}

// push sends a rebalance on its way. The channel it returns is closed by the owner's Ack; it is nil if none is needed.
func (c *couriered) push(r Rebalance) <-chan struct{} {
	p := parcel{Rebalance: r}
	if r.needsAck() {
		p.acked = make(chan struct{})
	}
	c.pushed <- p
	return p.acked
}

// deliver runs until stop. One goroutine offers rebalances and takes Acks, so it knows which one an Ack is for, even from
// an owner who acknowledges everything.
func (c *couriered) deliver() {
	defer close(c.stopped)
	defer close(c.out)
	var waiting []parcel
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

// stop ends deliver, once nobody pushes anymore.
func (c *couriered) stop() {
	close(c.quit)
	<-c.stopped
}
