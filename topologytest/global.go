package topologytest

import (
	"github.com/rio-streams/rio/internal/global"
	"github.com/rio-streams/rio/state"
)

// globals are the global tables of a driver, which all its tasks share. A nil *globals has none.
type globals struct {
	db     state.DB
	tables *global.Tables
}

// openGlobals opens the global tables and fills them to the ends of their topics.
func (d *Driver) openGlobals() error {
	if len(d.plan.Globals) == 0 {
		return nil
	}
	if d.global == nil {
		d.global = &globals{}
	}
	g := d.global
	var err error
	if g.db == nil {
		if g.db, err = d.cfg.OpenState("global"); err != nil {
			return err
		}
	}
	if g.tables, err = global.Open(g.db, global.Config{Plan: d.plan, Counts: d.counts, Policies: d.cfg.Policies}); err != nil {
		return err
	}
	return g.follow(d.log)
}

// reopenGlobals opens the global tables again, with an empty database if the state is lost.
func (d *Driver) reopenGlobals(lost bool) error {
	if d.global == nil {
		return nil
	}
	d.global.tables.Close()
	if lost {
		if err := d.global.db.Close(); err != nil {
			return err
		}
		d.global.db = nil
	}
	return d.openGlobals()
}

// shared returns the database for the tasks.
func (g *globals) shared() *state.Shared {
	if g == nil {
		return nil
	}
	return g.tables.Shared()
}

// follow applies the records of the log that the tables do not have yet.
func (g *globals) follow(l *log) error {
	if g == nil {
		return nil
	}
	logs, err := g.tables.Logs()
	if err != nil {
		return err
	}
	for _, partition := range logs {
		end := l.end(partition.Topic, partition.Partition)
		if partition.From == end {
			continue
		}
		records := l.read(partition.Topic, partition.Partition, partition.From, end)
		if err := g.tables.Apply(partition.Topic, partition.Partition, records, end); err != nil {
			return err
		}
	}
	return nil
}

func (g *globals) close() error {
	switch {
	case g == nil || g.db == nil:
		return nil
	case g.tables != nil:
		g.tables.Close()
	}
	return g.db.Close()
}
