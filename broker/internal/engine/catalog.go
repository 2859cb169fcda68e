package engine

import (
	"cmp"
	"maps"
	"slices"

	"github.com/rio-streams/rio/broker/internal/store"
)

// topic is an immutable version of a topic; a change creates a new version with the same partitions.
type topic struct {
	store.Topic
	settings   settings
	partitions []*partition
}

// catalog holds the durable topics, which readers may see. It is immutable.
type catalog struct {
	byName map[string]*topic
	byID   map[[16]byte]*topic
}

func (e *Engine) currentCatalog() *catalog {
	c := &catalog{byName: maps.Clone(e.topics), byID: make(map[[16]byte]*topic, len(e.topics))}
	for _, t := range e.topics {
		c.byID[t.ID] = t
	}
	return c
}

// topic returns a topic by its name or its id, nil if there is none. It must be called in the engine's goroutine. By id
// it only finds durable topics: no client knows the id of another.
func (e *Engine) topic(name string, id [16]byte, byID bool) *topic {
	if !byID {
		return e.topics[name]
	}
	known := e.catalog.Load().byID[id]
	if known == nil {
		return nil
	}
	if now := e.topics[known.Name]; now != nil && now.ID == id {
		return now
	}
	return nil
}

// sorted returns all topics by name.
func (c *catalog) sorted() []*topic {
	return slices.SortedFunc(maps.Values(c.byName), func(a, b *topic) int { return cmp.Compare(a.Name, b.Name) })
}

// byIDVersion is the version of Produce and of Fetch from which topics are named by their ids.
const byIDVersion = 13

// topic returns a topic by its name or its id, nil if there is none.
func (c *catalog) topic(name string, id [16]byte, byID bool) *topic {
	if byID {
		return c.byID[id]
	}
	return c.byName[name]
}

// partition returns a partition of a topic, nil if there is none.
func (c *catalog) partition(name string, number int32) *partition {
	return c.byName[name].partition(number)
}

// partition returns a partition, nil if there is none or t is nil.
func (t *topic) partition(number int32) *partition {
	if t == nil || number < 0 || int(number) >= len(t.partitions) {
		return nil
	}
	return t.partitions[number]
}

// putTopic writes a new or changed topic.
func (e *Engine) putTopic(t *topic) {
	for len(t.partitions) < int(t.Partitions) {
		id := store.PartitionID{Topic: t.Number, Partition: int32(len(t.partitions))}
		p := newPartition(id, store.EmptyPartition())
		t.partitions = append(t.partitions, p)
		e.partitions[id] = p
		e.open.batch.SetPartition(id, &p.Partition)
	}
	e.topics[t.Name] = t
	e.open.batch.SetTopic(&t.Topic)
	e.open.catalog = e.currentCatalog()
}

// dropTopic deletes a topic and the offsets that groups have committed in it.
func (e *Engine) dropTopic(t *topic) {
	delete(e.topics, t.Name)
	e.open.batch.DeleteTopic(&t.Topic)
	for _, p := range t.partitions {
		delete(e.partitions, p.id)
		e.open.views[p] = view{gone: true}
	}
	for _, g := range e.groups {
		e.dropOffsets(g, t.Name)
	}
	e.open.catalog = e.currentCatalog()
}
