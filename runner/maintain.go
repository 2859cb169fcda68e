package runner

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/rio-streams/rio/kafka"
	"github.com/rio-streams/rio/topology"
)

// The environment can make Run and Start reset or rebuild the application instead of running it. rio reset and rio
// rebuild do so: only the program knows the topology and the configuration.
const (
	// ResetVariable holds the place to begin from after a Reset: "earliest", "latest", or a time in the form of RFC 3339.
	ResetVariable = "RIO_RESET"
	// RebuildVariable makes it call Rebuild; its value is "changelogs".
	RebuildVariable = "RIO_REBUILD"
	// DoneFileVariable holds the name of a file in which the program says what was done. Default: none.
	DoneFileVariable = "RIO_DONE_FILE"
)

// ErrMaintained is what Run and Start return when they have reset or rebuilt the application. It is an error so that a program
// ends there.
var ErrMaintained = errors.New("nothing was run, because the environment asks for maintenance")

// maintain does what the environment asks for and returns ErrMaintained, or nil if it asks for nothing.
func maintain(ctx context.Context, t *topology.Topology, cfg Config) error {
	var done string
	var err error
	switch place, rebuild := os.Getenv(ResetVariable), os.Getenv(RebuildVariable); {
	case place != "" && rebuild != "":
		return fmt.Errorf("runner: both %s and %s are set: choose one", ResetVariable, RebuildVariable)
	case place != "":
		var at kafka.At
		if at, err = kafka.ParseAt(place); err != nil {
			return fmt.Errorf("runner: %s is %q: want earliest, latest, or a time such as 2026-01-01T08:50:00Z", ResetVariable, place)
		}
		err = Reset(ctx, t, cfg, at)
		done = "reset; it begins at " + place
	case rebuild == "changelogs":
		err = Rebuild(ctx, t, cfg)
		done = "rebuilt: its changelogs hold what its state holds"
	case rebuild != "":
		return fmt.Errorf("runner: %s is %q: want changelogs", RebuildVariable, rebuild)
	default:
		return nil
	}
	if err != nil {
		return err
	}
	name := cfg.Application
	if name == "" {
		name = t.Name()
	}
	done = fmt.Sprintf("application %s is %s", name, done)
	if file := os.Getenv(DoneFileVariable); file != "" {
		if err := os.WriteFile(file, []byte(done+"\n"), 0o644); err != nil {
			return fmt.Errorf("runner: %s: %w", done, err)
		}
	}
	return fmt.Errorf("runner: %s; %w", done, ErrMaintained)
}
