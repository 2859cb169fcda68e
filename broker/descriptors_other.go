//go:build !unix

package broker

import "math"

// descriptors is how many files and connections this process may have open: here there is no limit that it could know.
func descriptors() int { return math.MaxInt32 }
