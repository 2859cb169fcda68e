package fleet

// Promise is the window of time that a customer was promised. One promised time is a window without length.
type Promise struct {
	From Instant `json:"de"`  // start of the window
	To   Instant `json:"ate"` // its end
}

// Miss is how far an arrival lies before the window or after it, in seconds. At most one of the two is not 0.
func (p Promise) Miss(arrived Instant) (early, late float64) {
	return max(0, p.From.Since(arrived)), max(0, arrived.Since(p.To))
}

// Promise is the promised window of the delivery.
func (d Delivery) Promise() Promise { return Promise{d.From, d.To} }
