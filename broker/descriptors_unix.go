//go:build unix

package broker

import (
	"math"

	"golang.org/x/sys/unix"
)

// descriptors returns how many files and connections this process may have open.
func descriptors() int {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil || limit.Cur > math.MaxInt32 {
		return math.MaxInt32
	}
	return int(limit.Cur)
}
