package pebblestore

import (
	"testing"

	"github.com/rio-streams/rio/state"
	"github.com/rio-streams/rio/state/statetest"
)

func TestPebble(t *testing.T) { statetest.Run(t, open1(Config{})) }

func open1(cfg Config) statetest.Open {
	return func(t testing.TB, dir string) state.DB {
		db, err := Open(dir, cfg)
		if err != nil {
			t.Fatal(err)
		}
		return db
	}
}
