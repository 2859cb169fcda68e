package topologytest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/topology"
	"github.com/rio-streams/rio/topologytest"
)

// TestOutbox: orders are counted, and large ones page somebody through a topic. However often calls fail and tasks crash,
// each order counts once, and each large one has been paged or is a dead letter. So a side effect is neither lost, nor
// does it undo what was computed before it.
//
// Proves: calls-are-not-lost
func TestOutbox(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		alerts, letters := texts("alertas"), texts("letras")
		paged, ids := map[string]bool{}, map[string]string{} // by order
		page := func(ctx context.Context, order string) (string, error) {
			id := processor.CallID(ctx)
			if before, again := ids[order]; again && before != id {
				t.Fatalf("%s is called for again with id %s, not %s", order, id, before)
			}
			ids[order] = id
			if strings.HasSuffix(order, "-broken") || rapid.IntRange(0, 3).Draw(t, "busy") == 0 {
				return "", errors.New("nobody answers")
			}
			paged[order] = true
			return order, nil
		}
		b := topology.NewBuilder("caixa")
		orders := topology.From(b, texts("pedidos"))
		topology.Count(orders, "contagem").To(counts)
		orders.Filter(func(order string) bool { return strings.HasPrefix(order, "large") }).To(alerts)
		policy := processor.Policy{Action: processor.DeadLetter, Retries: rapid.IntRange(0, 2).Draw(t, "retries")}
		topology.MapAsync(topology.From(b, alerts), "page", page, topology.Calls{}).OnError(policy).To(texts("avisados"))
		top, err := b.Build()
		if err != nil {
			t.Fatal(err)
		}
		conditions := drawConditions(t)
		cfg := conditions.cfg
		cfg.Policies.DeadLetters = letters.Name()
		d, stop := conditions.start(t, top, cfg)
		defer stop()
		kinds := rapid.SliceOfN(rapid.SampledFrom([]string{"small", "large", "large-broken"}), 1, 30).Draw(t, "orders")
		for i, kind := range kinds {
			kinds[i] = strings.Replace(kind, "large", fmt.Sprint("large", i), 1)
			if err := topologytest.Send(d, texts("pedidos"), processor.Record[string, string]{Key: "k", Value: kinds[i]}); err != nil {
				t.Fatal(err)
			}
			conditions.after(t, d, i)
		}
		if err := d.Commit(); err != nil {
			t.Fatal(err)
		}
		counted, err := topologytest.Read(d, counts)
		if err != nil || len(counted) != len(kinds) || counted[len(kinds)-1].Value != int64(len(kinds)) {
			t.Fatalf("%d orders are counted as %v, %v", len(kinds), counted, err)
		}
		done := map[string]int{}
		for _, topic := range []topology.Topic[string, string]{letters, texts("avisados")} {
			records, err := topologytest.Read(d, topic)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range records {
				done[r.Value]++
				if topic.Name() != letters.Name() && !paged[r.Value] {
					t.Fatalf("%s was never paged", r.Value)
				}
			}
		}
		for _, kind := range kinds {
			if strings.HasPrefix(kind, "large") && done[kind] != 1 {
				t.Fatalf("%s has %d results and dead letters", kind, done[kind])
			}
		}
	})
}
