package engine

import "github.com/rio-streams/rio/broker/internal/store"

// segmentsIn returns the segments of a partition, the one that is being filled last, and how far the partition is.
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

// segments is segmentsIn the store as it is now; what is not durable is not among them.
func (e *Engine) segments(p *partition) ([]store.Segment, store.Partition, error) {
	r, err := e.db.NewReader()
	if err != nil {
		return nil, store.Partition{}, err
	}
	defer r.Close()
	return segmentsIn(r, p.id)
}
