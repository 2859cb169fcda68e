package codec_test

import (
	"fmt"
	"time"

	"github.com/rio-streams/rio/codec"
)

func Example() {
	type Position struct {
		Vehicle string  `json:"vehicle"`
		Lat     float64 `json:"lat"`
	}
	c := codec.JSON[Position]()
	data, _ := c.Append(nil, Position{"3490101813", 44.25})
	fmt.Println(string(data))
	p, _ := c.Decode(data)
	fmt.Println(p.Vehicle)
	// Output:
	// {"vehicle":"3490101813","lat":44.25}
	// 3490101813
}

func ExampleWindowed() {
	c := codec.Windowed(codec.String).Size(time.Hour)
	data, _ := c.Append(nil, codec.WindowKey[string]{Key: "ana", Start: time.Date(2026, 1, 1, 8, 0, 0, 0, time.UTC)})
	key, _ := c.Decode(data)
	fmt.Println(key)
	// Output: ana@2026-01-01T08:00:00Z/1h0m0s
}

func ExampleFor() {
	type Celsius float64
	fmt.Println(codec.For[Celsius]())
	fmt.Println(codec.For[map[string]int]())
	// Output:
	// float64
	// json[map[string]int]
}
