// Package paralleltest sets how many tests of a package run at once.
package paralleltest

import (
	"flag"
	"runtime"
	"strconv"
)

// Raise lets n tests run at once, unless the flag -parallel says how many. The default is the number of processors, which
// is too few for tests that mostly wait. A TestMain calls it.
func Raise(n int) {
	flag.Parse()
	if parallel := flag.Lookup("test.parallel").Value; parallel.String() == strconv.Itoa(runtime.GOMAXPROCS(0)) {
		_ = parallel.Set(strconv.Itoa(n))
	}
}
