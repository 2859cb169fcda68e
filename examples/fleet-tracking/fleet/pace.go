package fleet

import "cmp"

// A run without planned times is expected to take a usual time: it drives at a usual speed and stays a usual time at each delivery. How much
// slower or faster it is shows on its way. At first that says little: it is taken to have come as usual for a while before.
const (
	usualSpeed = 7.0    // m/s
	usualStay  = 300.0  // seconds
	paceKnown  = 1800.0 // seconds
)

// usual returns when the run comes to a stop, or came to the one before the next. Deliveries on the way take their time.
func (v *visiting) usual(now Instant, next int) func(Stop) Instant {
	slowness, stops := v.slowness(), v.stops()
	return func(stop Stop) Instant {
		seconds := (stop.Along - v.Reached) / usualSpeed
		for _, between := range stops[next:] {
			if between.Sequence >= stop.Sequence {
				break
			}
			seconds += between.usualStay()
		}
		return now.after(slowness * seconds)
	}
}

// usualDeparture is when the run leaves the delivery where it is; 0 if it is at none, or has been there for so long.
func (v *visiting) usualDeparture(now Instant) Instant {
	if v.At == nil || v.At.Left != 0 {
		return 0
	}
	stay := v.slowness() * v.stops()[v.At.Index].usualStay()
	if leaves := cmp.Or(v.At.Arrived, v.At.High).after(stay); leaves > now {
		return leaves
	}
	return 0
}

// slowness is the time that the run takes for what usually takes a second, as far as its way from its first place shows.
func (v *visiting) slowness() float64 {
	if v.Began.At == 0 {
		return 1
	}
	usual := (v.Reached - v.Began.Along) / usualSpeed
	for _, stop := range v.stops()[:min(v.Next, len(v.stops()))] {
		if stop.Along > v.Began.Along {
			usual += stop.usualStay()
		}
	}
	return (v.Latest.At.Since(v.Began.At) + paceKnown) / (usual + paceKnown)
}

// usualStay is how long vehicles usually stay at a stop, in seconds.
func (s Stop) usualStay() float64 {
	if s.Promise == nil {
		return 0
	}
	return usualStay
}
