// Package place is read by a test.
package place

// Stop is a stop.
type Stop struct {
	// Along the line.
	Near float64 // metres
	Far  float64

	ID string // in the order of Near
}

// Kind is a kind of stop.
type Kind string

// Depot is the only one.
const Depot Kind = "depot"
