package topologytest_test

import (
	"strings"
	"testing"

	"github.com/rio-streams/rio/state"
	"github.com/rio-streams/rio/state/pebblestore"
	"github.com/rio-streams/rio/topology"
	"github.com/rio-streams/rio/topologytest"
)

// configs returns the configurations in which a case runs. Foreign-key joins also run with different numbers of
// partitions on the two sides, and on pebble; there without restarts, which take long.
func (c *semanticsCase) configs(t *testing.T, happens string) []topologytest.Config {
	configs := []topologytest.Config{{}}
	if !strings.Contains(c.Join, "foreign-key") {
		return configs
	}
	configs = append(configs, topologytest.Config{Partitions: 4})
	if happens != "restarts" {
		pebble := topologytest.Config{State: state.Options{Budget: state.NewBudget(0)}}
		pebble.OpenState = func(string) (state.DB, error) { return pebblestore.Open(t.TempDir(), pebblestore.Config{}) }
		configs = append(configs, pebble)
	}
	return configs
}

// joinByForeignKey joins two tables as the Java tests do.
func (c *semanticsCase) joinByForeignKey(t *testing.T, b *topology.Builder) {
	t.Helper()
	left := semanticsTable(b, textTopic("left").Partitions(max(1, c.config.Partitions-1)), c.LeftStore)
	right := semanticsTable(b, textTopic("right"), c.RightStore)
	pair := func(l, r string, ok bool) string { return "(" + l + "," + textOr(r, ok) + ")" }
	key := foreignKeyOf(t, c.Topology)
	if strings.HasSuffix(c.Join, "left") {
		topology.LeftJoinTablesBy(left, right, "joined", key, pair).To(semanticsOut)
		return
	}
	topology.JoinTablesBy(left, right, "joined", key, func(l, r string) string { return pair(l, r, true) }).To(semanticsOut)
}

// foreignKeyOf returns what the extractor in the text of a topology does.
func foreignKeyOf(t *testing.T, text string) func(string) (string, bool) {
	t.Helper()
	switch {
	case strings.Contains(text, "tokens.length == 2 ? tokens[1] : null"):
		return func(v string) (string, bool) {
			tokens := strings.Split(v, "|")
			return tokens[len(tokens)-1], len(tokens) == 2
		}
	case strings.Contains(text, `split.equals("returnNull")`):
		return func(v string) (string, bool) {
			key := strings.Split(v, "|")[1]
			return key, key != "returnNull"
		}
	case strings.Contains(text, `(value)->value.split("\\|")[0]`):
		return func(v string) (string, bool) { return strings.Split(v, "|")[0], true }
	}
	t.Fatalf("no extractor known in %s", text)
	return nil
}
