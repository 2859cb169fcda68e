package runner

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/rio-streams/rio/internal/dirlock"
	"github.com/rio-streams/rio/internal/replica"
	"github.com/rio-streams/rio/kafka"
	"github.com/rio-streams/rio/state/pebblestore"
)

// clusterDir returns the name of the directory for the state of a cluster.
func clusterDir(id string) string {
	safe := strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.' {
			return c
		}
		return '_'
	}, id)
	return "cluster-" + safe
}

// migrateState moves the places of an earlier version, which had no directory per cluster, into the directory of this
// cluster. Their state must be consistent with the changelogs. If the application has never run on this cluster, the places
// belong to another cluster and are not moved.
func (r *runner) migrateState(ctx context.Context) error {
	old, err := r.oldPlaces()
	for _, p := range old {
		if err == nil {
			err = r.migratePlace(ctx, p.dir, filepath.Join(r.stateDir(), filepath.Base(p.dir)))
		}
	}
	return err
}

// oldPlaces returns the places of an earlier version.
func (r *runner) oldPlaces() ([]*place, error) {
	dir := filepath.Dir(r.stateDir())
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("runner: state directory: %w", err)
	}
	var places []*place
	for _, entry := range entries {
		if _, err := strconv.Atoi(entry.Name()); err == nil && entry.IsDir() {
			places = append(places, &place{dir: filepath.Join(dir, entry.Name())})
		}
	}
	return places, nil
}

func (r *runner) migratePlace(ctx context.Context, from, to string) error {
	lock, err := dirlock.Take(from)
	var held *dirlock.HeldError
	if errors.As(err, &held) {
		return nil // a process of the earlier version is running
	}
	if err != nil {
		return fmt.Errorf("runner: state directory: %w", err)
	}
	fits, err := r.stateFits(ctx, &place{dir: from})
	if err = errors.Join(err, lock.Release()); err != nil {
		return err
	}
	if !fits {
		r.log.Warn("state of an earlier version belongs to another cluster; not moving it", "dir", from, "cluster", r.client.ClusterID())
		return nil
	}
	if _, err := os.Stat(to); err == nil {
		return fmt.Errorf("runner: there is state in %s, written by an earlier version, and in %s: delete the older one", from, to)
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return fmt.Errorf("runner: state directory: %w", err)
	}
	if err := os.Rename(from, to); err != nil {
		return fmt.Errorf("runner: state directory: %w", err)
	}
	r.log.Info("moved the state of an earlier version", "from", from, "to", to)
	return nil
}

// stateFits reports whether the state in an old place belongs to this cluster. It returns false if the application has not
// committed anything here, and an error if it has, but the state is inconsistent with the changelogs.
func (r *runner) stateFits(ctx context.Context, p *place) (bool, error) {
	committed, err := r.client.PeekOffsets(ctx, r.cfg.Application)
	if err != nil || len(committed) == 0 {
		return false, err
	}
	for _, sub := range r.plan.Subtopologies {
		for partition := range sub.Tasks(r.counts) {
			dir := p.taskDir(sub, partition)
			if _, err := os.Stat(dir); dir == "" || err != nil {
				continue
			}
			if err := r.checkFit(ctx, dir, r.newAssignment(sub, partition)); err != nil {
				return false, fmt.Errorf("runner: state in %s, written by an earlier version, is inconsistent with cluster %s: %w. "+
					"If it belongs to another cluster, start the application once with that cluster; if it is not needed, delete the directory", dir, r.client.ClusterID(), err)
			}
		}
	}
	return true, nil
}

// checkFit returns an error if a position in the database is after the end of its log.
func (r *runner) checkFit(ctx context.Context, dir string, a *assignment) error {
	db, err := pebblestore.Open(dir, pebblestore.Config{Log: r.log})
	if err != nil {
		return err
	}
	defer db.Close() // only read, so the error does not matter
	stores, err := replica.Open(db, r.replicaOf(a))
	if err != nil {
		return err
	}
	defer stores.Close()
	for _, log := range stores.Logs() {
		tps := []kafka.TopicPartition{{Topic: log.Topic, Partition: a.partition}}
		end, err := r.client.Offsets(ctx, tps, kafka.Latest)
		if err != nil {
			return err
		}
		if log.From > end[tps[0]] {
			return fmt.Errorf("its position in %s is %d, after the end %d", tps[0], log.From, end[tps[0]])
		}
	}
	return nil
}
