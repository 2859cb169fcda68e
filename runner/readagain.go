package runner

import (
	"context"
	"errors"
	"slices"

	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/kafka"
	"github.com/rio-streams/rio/processor"
)

// readAgain rereads source records, for dead letters. Records that have been deleted are missing in the result.
func (r *runner) readAgain(ctx context.Context, wanted map[kafka.TopicPartition][]int64) (map[processor.Origin]*plan.Raw, error) {
	found := map[processor.Origin]*plan.Raw{}
	if len(wanted) == 0 {
		return found, nil
	}
	fetcher := r.client.NewFetcher(kafka.FetcherConfig{MaxBytes: 1 << 20, PartitionMaxBytes: 64 << 10})
	defer fetcher.Close()
	for tp, offsets := range wanted {
		slices.Sort(offsets)
		wanted[tp] = slices.Compact(offsets)
		fetcher.Add(tp, offsets[0])
	}
	for len(wanted) > 0 {
		fetched, err := fetcher.Poll(ctx)
		if err != nil {
			return nil, recoverable(err)
		}
		for i := range fetched {
			f := &fetched[i]
			tp := kafka.TopicPartition{Topic: f.Topic, Partition: f.Partition}
			left, err := pick(f, wanted[tp], found)
			switch {
			case err != nil:
				return nil, recoverable(err)
			case len(left) == 0:
				delete(wanted, tp)
				fetcher.Remove(tp)
			case f.Err != nil || left[0] > f.Next:
				fetcher.Add(tp, left[0])
			}
			if len(left) > 0 {
				wanted[tp] = left
			}
		}
	}
	return found, nil
}

// pick adds the records of f at the given offsets to found. It returns the offsets that later fetches may still return.
func pick(f *kafka.Fetched, offsets []int64, found map[processor.Origin]*plan.Raw) (left []int64, err error) {
	switch {
	case errors.Is(f.Err, kafka.ErrUnknownTopic):
		return nil, nil
	case errors.Is(f.Err, kafka.ErrOffsetOutOfRange):
		if offsets[0] == f.Next { // this record was requested and has been deleted
			offsets = offsets[1:]
		}
		return offsets, nil
	case f.Err != nil:
		return nil, f.Err
	}
	for i := range f.Records {
		if _, ok := slices.BinarySearch(offsets, f.Records[i].Offset); ok {
			at := processor.Origin{Topic: f.Topic, Partition: f.Partition, Offset: f.Records[i].Offset}
			found[at] = &taskRecords(f.Records[i : i+1])[0]
		}
	}
	for len(offsets) > 0 && (offsets[0] < f.Next || f.Next >= f.LastStable) {
		offsets = offsets[1:]
	}
	return offsets, nil
}
