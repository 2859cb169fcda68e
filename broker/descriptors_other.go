//go:build !unix

package broker

import "math"

// descriptors returns how many files and connections this process may have open. On this system the limit is unknown.
func descriptors() int { return math.MaxInt32 }
