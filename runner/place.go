package runner

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/rio-streams/rio/internal/dirlock"
	"github.com/rio-streams/rio/internal/plan"
)

// place is the directory of one process within an application's state for one cluster:
//
//	<dir>/<place>/lock            locked by the process that uses the place
//	<dir>/<place>/process-id      part of the transactional ids, so that the next process here aborts open transactions
//	<dir>/<place>/positions       the positions of the databases; see positions
//	<dir>/<place>/global/         the database of the global tables
//	<dir>/<place>/<store>-<p>/    the database of the task for partition p whose first store is <store>
//
// Each process takes the first free place, so a restarted process usually finds its own again.
type place struct {
	dir       string
	lock      *dirlock.Lock
	processID string
}

// maxPlaces limits the search for a free place. It is far more than the processes that an application has on one machine.
const maxPlaces = 1000

func takePlace(dir string) (*place, error) {
	for i := range maxPlaces {
		p := &place{dir: filepath.Join(dir, strconv.Itoa(i))}
		err := p.take()
		var held *dirlock.HeldError
		if errors.As(err, &held) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("runner: state directory: %w; choose another Config.Dir", err)
		}
		if err := p.identify(); err != nil {
			return nil, errors.Join(err, p.lock.Release())
		}
		return p, nil
	}
	return nil, fmt.Errorf("runner: all %d places in %s are in use", maxPlaces, dir)
}

// take creates the directory and locks it.
func (p *place) take() (err error) {
	if err := os.MkdirAll(p.dir, 0o755); err != nil {
		return err
	}
	p.lock, err = dirlock.Take(p.dir)
	return err
}

// identify reads the place's process id. It creates one if there is none.
func (p *place) identify() error {
	path := filepath.Join(p.dir, "process-id")
	data, err := os.ReadFile(path)
	if err == nil && len(strings.TrimSpace(string(data))) > 0 {
		p.processID = strings.TrimSpace(string(data))
		return nil
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("runner: %w", err)
	}
	p.processID = rand.Text()
	if err := os.WriteFile(path, []byte(p.processID+"\n"), 0o644); err != nil {
		return fmt.Errorf("runner: %w", err)
	}
	return nil
}

// taskDir returns the directory for the state of a task, "" for a task without stores. Its name consists of the name of a
// store and the partition, because the numbers of sub-topologies change with the topology.
func (p *place) taskDir(s *plan.Subtopology, partition int32) string {
	if len(s.Stores) == 0 {
		return ""
	}
	return filepath.Join(p.dir, s.Stores[0].Name()+"-"+strconv.Itoa(int(partition)))
}
