package processor

// Counter counts events of a step: see Context.Counter. It belongs to the goroutine of its task.
type Counter struct{ add func(n int64) }

// NewCounter returns a counter that calls add. Hosts use it.
func NewCounter(add func(n int64)) *Counter { return &Counter{add} }

// Add counts n more events; n must not be negative.
func (c *Counter) Add(n int64) { c.add(n) }
