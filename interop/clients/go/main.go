// Command go runs clients written in Go against a broker: franz-go with its admin client, and goka, which is built on
// sarama. It also creates topics for clients that cannot.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/twmb/franz-go/pkg/kadm"
)

func main() {
	if len(os.Args) < 4 {
		usage()
	}
	if os.Args[1] == "create" {
		if err := create(os.Args[2], os.Args[3:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	run := map[string]func(c *checks, address, prefix string){"franz-go": franzGo, "goka": gokaProcessor}[os.Args[1]]
	if run == nil || len(os.Args) != 4 {
		usage()
	}
	c := &checks{}
	run(c, os.Args[2], os.Args[3])
	if c.failed > 0 {
		os.Exit(1)
	}
}

func usage() {
	fmt.Fprintln(os.Stderr, "usage: go franz-go|goka ADDRESS PREFIX\n       go create ADDRESS TOPIC...")
	os.Exit(2)
}

// create creates topics with three partitions, and waits until they exist.
func create(address string, topics []string) error {
	f := &franz{address: address}
	client, err := f.client()
	if err != nil {
		return err
	}
	defer client.Close()
	f.admin = kadm.NewClient(client)
	for _, topic := range topics {
		if err := f.createTopic(context.Background(), topic, nil); err != nil {
			return err
		}
	}
	return nil
}
