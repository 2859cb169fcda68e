package fleet

import "cmp"

// Deadline is the moment at which time alone changes what Outcome tells of the delivery; 0 if nothing but news can change it.
func (d Delivery) Deadline(known Evidence) Instant {
	switch v := known.Visit; {
	case known.Record != nil:
		return 0
	case v.There() && v.Left != 0:
		return 0
	case v.There():
		return cmp.Or(v.Arrived, v.High).after(cmp.Or(d.MinDwell, minDwell))
	case known.Later != 0:
		return min(known.Later.after(skippedAfter), d.To.after(givenUpAfter))
	}
	return d.To.after(givenUpAfter)
}

// after is the moment so many seconds later.
func (i Instant) after(seconds float64) Instant { return i + Instant(seconds*1000) }
