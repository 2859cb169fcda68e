package topologytest_test

import (
	"fmt"
	"strings"

	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/topology"
	"github.com/rio-streams/rio/topologytest"
)

func Example() {
	b := topology.NewBuilder("word-count")
	words := topology.FlatMap(topology.From(b, lines), strings.Fields)
	topology.Count(topology.KeyBy(words, "by-word", itself), "counts").To(counts)
	top, err := b.Build()
	if err != nil {
		panic(err)
	}

	d, err := topologytest.New(top, topologytest.Config{})
	if err != nil {
		panic(err)
	}
	defer d.Close()
	send := func(line string) {
		if err := topologytest.Send(d, lines, processor.Record[string, string]{Key: "1", Value: line}); err != nil {
			panic(err)
		}
	}
	send("rio mar rio")
	if err := d.Restart(); err != nil { // on a new machine: the state comes from the changelog
		panic(err)
	}
	send("mar")

	records, err := topologytest.Read(d, counts)
	if err != nil {
		panic(err)
	}
	for _, r := range records {
		fmt.Println(r.Key, r.Value)
	}
	// Output:
	// rio 1
	// mar 1
	// rio 2
	// mar 2
}
