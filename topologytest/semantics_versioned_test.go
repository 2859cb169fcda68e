package topologytest_test

import "github.com/rio-streams/rio/topology"

// semanticsStore says how a case keeps a table.
type semanticsStore struct {
	History int64 `json:"versioned_history_ms"`
}

// semanticsTable reads a topic as a table that is kept as a case says.
func semanticsTable(b *topology.Builder, topic topology.Topic[string, string], store *semanticsStore) *topology.Table[string, string] {
	table := topology.TableFrom(b, topic)
	if store == nil {
		return table
	}
	return topology.Versioned(table, milliseconds(store.History))
}
