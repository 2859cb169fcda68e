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

// clusterDir returns the name of the directory that holds the state of a cluster.
func clusterDir(id string) string {
	safe := strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.' {
			return c
		}
		return '_'
	}, id)
	return "cluster-" + safe
}

// migrateState moves places that an earlier version left, which did not keep the clusters apart, below the directory of
// this cluster. Their state must fit the changelogs. If the application has never run on this cluster they belong to
// another one and are left alone.
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
		return nil // by a process of the earlier version
	}
	if err != nil {
		return fmt.Errorf("runner: state directory: %w", err)
	}
	fits, err := r.fits(ctx, &place{dir: from})
	if err = errors.Join(err, lock.Release()); err != nil {
		return err
	}
	if !fits {
		r.log.Warn("state of an earlier version is of another cluster and is left alone", "dir", from, "cluster", r.client.ClusterID())
		return nil
	}
	if _, err := os.Stat(to); err == nil {
		return fmt.Errorf("runner: there is state in %s, of an earlier version, and in %s: delete the one that is older", from, to)
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return fmt.Errorf("runner: state directory: %w", err)
	}
	if err := os.Rename(from, to); err != nil {
		return fmt.Errorf("runner: state directory: %w", err)
	}
	r.log.Info("state of an earlier version moved", "from", from, "to", to)
	return nil
}

// fits reports whether what is in an old place can be of this cluster: false if the application has not committed
// anything here. It fails if it has, and the state does not fit.
func (r *runner) fits(ctx context.Context, p *place) (bool, error) {
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
			if err := r.fit(ctx, dir, r.newUnit(sub, partition)); err != nil {
				return false, fmt.Errorf("runner: state in %s, of an earlier version, which did not note its cluster, does not fit cluster %s: %w. "+
					"If it is of another cluster, start once with that one; if it is not needed, delete the directory", dir, r.client.ClusterID(), err)
			}
		}
	}
	return true, nil
}

// fit compares the positions in a database with the log.
func (r *runner) fit(ctx context.Context, dir string, u *unit) error {
	db, err := pebblestore.Open(dir, pebblestore.Config{Log: r.log})
	if err != nil {
		return err
	}
	defer db.Close() // reads only
	stores, err := replica.Open(db, r.replicaOf(u))
	if err != nil {
		return err
	}
	defer stores.Close()
	for _, log := range stores.Logs() {
		tps := []kafka.TopicPartition{{Topic: log.Topic, Partition: u.partition}}
		end, err := r.client.Offsets(ctx, tps, kafka.Latest)
		if err != nil {
			return err
		}
		if log.From > end[tps[0]] {
			return fmt.Errorf("it stands at offset %d of %s, which ends at %d", log.From, tps[0], end[tps[0]])
		}
	}
	return nil
}
