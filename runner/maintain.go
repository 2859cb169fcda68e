package runner

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/rio-streams/rio/kafka"
	"github.com/rio-streams/rio/topology"
)

// These environment variables make Run and Start reset or rebuild the application instead of running it. The commands rio
// reset and rio rebuild set them, because only the program knows its topology and configuration.
const (
	// ResetVariable makes them call Reset. Its value is the position to start from: "earliest", "latest", or a time in the
	// format of RFC 3339.
	ResetVariable = "RIO_RESET"
	// RebuildVariable makes them call Rebuild. Its value is "changelogs".
	RebuildVariable = "RIO_REBUILD"
	// DoneFileVariable is the name of a file to write a message to that says what was done. Default: none.
	DoneFileVariable = "RIO_DONE_FILE"
)

// ErrMaintained is returned by Run and Start when they have reset or rebuilt the application. It is an error so that the
// program ends.
var ErrMaintained = errors.New("the application was not run, because the environment requests maintenance")

// maintain resets or rebuilds the application if the environment requests it, and then returns ErrMaintained. Otherwise it
// returns nil.
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
		done = "reset; it will start at " + place
	case rebuild == "changelogs":
		err = Rebuild(ctx, t, cfg)
		done = "rebuilt: its changelogs match its local state"
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
