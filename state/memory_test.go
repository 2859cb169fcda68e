package state_test

import (
	"testing"

	"github.com/rio-streams/rio/state"
	"github.com/rio-streams/rio/state/statetest"
)

func TestMemory(t *testing.T) { statetest.Run(t, statetest.Volatile(state.NewMemory)) }
