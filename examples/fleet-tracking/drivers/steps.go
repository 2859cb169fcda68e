package drivers

import (
	"time"

	"github.com/rio-streams/rio/examples/fleet-tracking/conduct"
	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/state"
)

const oneDay = 24 * time.Hour

// measure emits, for each fix, the figures of its vehicle for whoever drives. It forgets vehicles that have sent nothing for as long
// as figures are kept.
func (c Config) measure(ctx *processor.Context[string, conduct.Entry]) processor.Handler[string, conduct.Point] {
	j := journal{trails.In(ctx), points.In(ctx), parts.In(ctx), fleet.Instant(c.Late.Milliseconds())}
	if c.Keep > 0 {
		ctx.Schedule(oneDay, processor.StreamTime, func(now time.Time) error {
			return j.forget(fleet.InstantOf(now.Add(-c.Keep - oneDay)))
		})
	}
	return func(r processor.Record[string, conduct.Point]) error {
		entries, err := j.add(r.Key, r.Value, r.Timestamp)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if err := ctx.Emit(r.Key, e); err != nil {
				return err
			}
		}
		return nil
	}
}

// onlyNews drops what a vehicle tells of its run again and again.
func onlyNews(ctx *processor.Context[string, conduct.Entry]) processor.Handler[string, conduct.Entry] {
	latest := stretches.In(ctx)
	return func(r processor.Record[string, conduct.Entry]) error {
		before, known, err := latest.Get(r.Key)
		if err != nil || known && before.Sheet == r.Value.Sheet && *before.Stretch == *r.Value.Stretch {
			return err
		}
		if err := latest.Put(r.Key, r.Value, r.Timestamp); err != nil {
			return err
		}
		return ctx.Emit(r.Key, r.Value)
	}
}

// correct passes departures on. If a vehicle that had left stands at the stop again, or leaves it on another day or with another driver, it
// takes the first departure back.
func correct(ctx *processor.Context[string, conduct.Entry]) processor.Handler[string, conduct.Entry] {
	latest := departed.In(ctx)
	ctx.Schedule(oneDay, processor.StreamTime, func(now time.Time) error {
		return forgetRows(latest, now.Add(-2*oneDay).UnixMilli())
	})
	return func(r processor.Record[string, conduct.Entry]) error {
		call := r.Value.Call.Key()
		before, known, err := latest.Get(call)
		if err != nil || !known && r.Value.Call.Grade == "" {
			return err
		}
		if known && before.Sheet != r.Value.Sheet {
			taken := *before.Call
			taken.Grade = ""
			before.Call = &taken
			if err := ctx.Emit(r.Key, before); err != nil {
				return err
			}
		}
		if r.Value.Call.Grade == "" {
			return latest.Delete(call, r.Timestamp)
		}
		if err := latest.Put(call, r.Value, r.Timestamp); err != nil {
			return err
		}
		return ctx.Emit(r.Key, r.Value)
	}
}

// page is a book and whose it is.
type page struct {
	conduct.Sheet
	conduct.Book
}

// enter keeps the book of each sheet and emits what it says whenever that changes.
func (c Config) enter(ctx *processor.Context[string, conduct.Day]) processor.Handler[string, conduct.Entry] {
	pages := books.In(ctx)
	if c.Keep > 0 {
		ctx.Schedule(oneDay, processor.StreamTime, func(now time.Time) error {
			return forgetRows(pages, now.Add(-c.Keep-oneDay).UnixMilli())
		})
	}
	return func(r processor.Record[string, conduct.Entry]) error {
		p, latest, _, err := pages.GetWithTime(r.Key)
		if err != nil {
			return err
		}
		book, changed := p.Add(r.Value)
		if !changed {
			return nil
		}
		p = page{r.Value.Sheet, book}
		if err := pages.Put(r.Key, p, max(r.Timestamp, latest)); err != nil {
			return err
		}
		return ctx.Emit(r.Key, book.Day(p.Sheet))
	}
}

// forgetRows removes the rows that have not changed since a moment, in milliseconds since 1970.
func forgetRows[V any](rows *state.KeyValue[string, V], since int64) error {
	for row, err := range rows.All() {
		if err != nil {
			return err
		}
		if row.Timestamp >= since {
			continue
		}
		if err := rows.Delete(row.Key, since); err != nil {
			return err
		}
	}
	return nil
}
