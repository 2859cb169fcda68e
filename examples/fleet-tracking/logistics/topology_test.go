package logistics

import (
	"testing"

	"github.com/rio-streams/rio/topology"
	"github.com/rio-streams/rio/topologytest"
)

func logistica(t *testing.T) *topology.Topology {
	t.Helper()
	top, err := New()
	if err != nil {
		t.Fatal(err)
	}
	return top
}

func TestLogistica(t *testing.T) {
	topologytest.Run(t, "testdata/logistica", logistica(t), topologytest.Config{})
}
