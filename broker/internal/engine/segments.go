package engine

import "github.com/rio-streams/rio/broker/internal/store"

// segmentsIn returns the segments of a partition, including the one being filled, which is the last, and the
// partition's positions.
func segmentsIn(r *store.Reader, id store.PartitionID) ([]store.Segment, store.Partition, error) {
	var list []store.Segment
	for s, err := range r.Segments(id) {
		if err != nil {
			return nil, store.Partition{}, err
		}
		list = append(list, s)
	}
	p, err := r.Partition(id)
	return append(list, p.Segment), p, err
}

// segments is segmentsIn for the current store; it excludes what is not durable.
func (e *Engine) segments(p *partition) ([]store.Segment, store.Partition, error) {
	r, err := e.db.NewReader()
	if err != nil {
		return nil, store.Partition{}, err
	}
	defer r.Close()
	return segmentsIn(r, p.id)
}
