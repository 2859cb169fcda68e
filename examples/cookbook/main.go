// Cookbook is a collection of topologies for common tasks, one in each file. Without arguments it lists them; with a name it
// shows the plan of one, and with -brokers it runs it on a Kafka cluster until it is interrupted:
//
//	go run ./examples/cookbook
//	go run ./examples/cookbook visitas
//	go run ./examples/cookbook -brokers localhost:9092 visitas
//
// The scripts in testdata show what goes in and what comes out; the tests run them.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/rio-streams/rio/runner"
	"github.com/rio-streams/rio/topology"
)

// recipes are the topologies by the name of their application.
var recipes = map[string]struct {
	about string
	build func() (*topology.Topology, error)
}{
	"visitas":  {"click sessions of each user, each once when it has ended", visits},
	"pedidos":  {"orders joined with their payments, shipments and customers", orders},
	"ranking":  {"the three products that sell best in each hour", ranking},
	"fraude":   {"cards with too many payments in a minute, repeated ones left out", fraud},
	"totais":   {"hourly totals: as they come, final after a grace, and late sales apart", totals},
	"impostos": {"purchases with the tax of their country, a global table", taxes},
	"catalogo": {"orders at the price of their time: changes of a database, a versioned table", catalog},
	"dias":     {"totals by the days and months of a time zone", days},
	"perfis":   {"one profile of each customer from three streams", profiles},
	"rotas":    {"events routed to named branches and to a topic for each tenant", routes},
	"credito":  {"a step by hand: a table's rows, a store, a second output, a timer", credit},
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "cookbook:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("cookbook", flag.ContinueOnError)
	brokers := flags.String("brokers", "", "addresses of a Kafka cluster on which to run the recipe, `host:port,…`")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() == 0 {
		for _, name := range slices.Sorted(maps.Keys(recipes)) {
			fmt.Fprintf(out, "%-10s%s\n", name, recipes[name].about)
		}
		return nil
	}
	recipe, known := recipes[flags.Arg(0)]
	if !known || flags.NArg() > 1 {
		return fmt.Errorf("want one recipe of %s", strings.Join(slices.Sorted(maps.Keys(recipes)), ", "))
	}
	top, err := recipe.build()
	if err != nil {
		return err
	}
	if *brokers == "" {
		_, err := io.WriteString(out, top.String())
		return err
	}
	return runner.Run(ctx, top, runner.Config{Brokers: strings.Split(*brokers, ",")})
}
