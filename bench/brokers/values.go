package main

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
)

// vehicles is the number of keys and of different values.
const vehicles = 5_000

// values returns positions as JSON, padded to size bytes with non-repeating text. They are the same in every run, and
// are made beforehand, so that the measurement does not include that.
func values(size int) [][]byte {
	random := rand.New(rand.NewPCG(1, uint64(size)))
	made := make([][]byte, vehicles)
	for i := range made {
		made[i] = value(random, i, size)
	}
	return made
}

func value(random *rand.Rand, i, size int) []byte {
	v := fmt.Appendf(nil, `{"line":"line-%03d","lat":%.6f,"lon":%.6f,"speed":%.1f,"seq":%d,"note":"`,
		i%400, -22.9+random.Float64()/5, -43.2+random.Float64()/5, random.Float64()*20, i)
	const end = `"}`
	noise := make([]byte, size)
	for at := range noise {
		noise[at] = byte(random.Uint32())
	}
	text := hex.AppendEncode(nil, noise)
	return append(append(v, text[:max(0, size-len(v)-len(end))]...), end...)
}

// keys returns the names of the vehicles.
func keys() [][]byte {
	made := make([][]byte, vehicles)
	for i := range made {
		made[i] = fmt.Appendf(nil, "bus-%05d", i)
	}
	return made
}
