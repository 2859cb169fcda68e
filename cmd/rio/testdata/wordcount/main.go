// Command wordcount counts words, for the tests of rio plan, reset and rebuild.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/runner"
	"github.com/rio-streams/rio/topology"
)

func main() {
	b := topology.NewBuilder("word-count")
	lines := topology.From(b, topology.NewTopic("lines", codec.String, codec.String))
	words := topology.FlatMap(lines, strings.Fields)
	byWord := topology.KeyBy(words, "by-word", func(word string) string { return word })
	topology.Count(byWord, "counts").To(topology.NewTopic("counts", codec.String, codec.Int64))
	top, err := b.Build()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("counting")
	if err := runner.Run(context.Background(), top, runner.Config{Dir: os.Getenv("WORDCOUNT_DIR")}); err != nil {
		log.Fatal(err)
	}
}
