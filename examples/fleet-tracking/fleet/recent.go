package fleet

import (
	"slices"
	"time"
)

// sumPeriod is how far back from the latest of them legs and visits count.
const sumPeriod = 28 * 24 * time.Hour

// event is something that happened at a moment. compare orders events by that moment, and tells different ones apart.
type event[T any] interface {
	comparable
	at() Instant
	compare(T) int
}

// recent are the events of the latest days, oldest first. It is a value: with and without leave the old one as it was. What it holds
// depends on the events, not on the order in which they come.
type recent[T event[T]] []T

// with adds an event. Those that are a period older than the latest are forgotten.
func (r recent[T]) with(e T, period time.Duration) recent[T] {
	i, _ := slices.BinarySearchFunc(r, e, T.compare)
	all := slices.Insert(slices.Clip(r), i, e)
	since := all[len(all)-1].at() - Instant(period.Milliseconds())
	first := slices.IndexFunc(all, func(e T) bool { return e.at() > since })
	return all[first:]
}

// without takes an event back.
func (r recent[T]) without(e T) recent[T] {
	i, found := slices.BinarySearchFunc(r, e, T.compare)
	if !found {
		return r
	}
	return slices.Delete(slices.Clone(r), i, i+1)
}

// median is the middle value, of an even number the greater one of the two in the middle; 0 of none. It sorts values in place.
func median(values []Span) Span {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return values[len(values)/2]
}
