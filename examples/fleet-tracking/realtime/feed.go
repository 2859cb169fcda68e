package realtime

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
	"github.com/rio-streams/rio/examples/fleet-tracking/recording"
)

const (
	largest   = 8 << 20   // bytes of a message, about 60,000 vehicles
	forgotten = time.Hour // after which a vehicle that is in no message is forgotten
)

// Feed is what a server publishes at a URL, and what has been taken of it.
type Feed struct {
	url    string
	name   string // the URL without its query, which may have a key
	client *http.Client

	fetched, taken validators // of the message fetched last, and of the one that Done was told of
	seen           map[string]memory
}

// validators are what a server knows a message by. They make a request conditional: while nothing is new, the answer has no body.
type validators struct{ etag, modified string }

// memory is what is known of a vehicle: the event times that have been taken, and when it was in a message.
type memory struct {
	fixes fleet.Repeats
	last  time.Time
}

// NewFeed returns the feed at a URL. The client says how long to wait for an answer.
func NewFeed(address string, client *http.Client) *Feed {
	return &Feed{url: address, name: Name(address), client: client, seen: map[string]memory{}}
}

// Name is an address without what may be secret in it: user, password and query.
func Name(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "the feed"
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// Name is the address of the feed, as Name has it.
func (f *Feed) Name() string { return f.name }

// Fetch asks the server and returns the positions that are new, in the order of the message. One of a vehicle with a time that has
// been taken is not new. They arrive now, or when the server made the message if that was earlier. An error is an *Error.
func (f *Feed) Fetch(ctx context.Context, now time.Time) ([]fleet.Position, error) {
	f.fetched = f.taken
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, f.url, nil)
	if err != nil {
		return nil, f.unreachable(err)
	}
	request.Header.Set("Accept", "application/x-protobuf, application/octet-stream;q=0.9, */*;q=0.5")
	request.Header.Set("User-Agent", "fleet-tracking")
	if f.taken.etag != "" {
		request.Header.Set("If-None-Match", f.taken.etag)
	}
	if f.taken.modified != "" {
		request.Header.Set("If-Modified-Since", f.taken.modified)
	}
	answer, err := f.client.Do(request)
	if err != nil {
		return nil, f.unreachable(err)
	}
	defer answer.Body.Close()
	switch answer.StatusCode {
	case http.StatusOK:
	case http.StatusNotModified:
		return nil, nil
	default:
		return nil, f.refused(answer, now)
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, largest+1))
	switch {
	case err != nil:
		return nil, f.unreachable(err)
	case len(body) > largest:
		return nil, f.fail(fmt.Errorf("the answer has more than %d MB", largest>>20))
	}
	message, err := recording.ReadMessage(f.name, body)
	if err != nil {
		return nil, f.fail(notMessage(answer.Header.Get("Content-Type"), body))
	}
	all, err := positions(message, fleet.InstantOf(now))
	switch {
	case err != nil:
		return nil, f.fail(err)
	case len(all) == 0 && message.Entities() > 0:
		return nil, f.fail(fmt.Errorf("the message has %d entities and no vehicle: is this the address of trip updates or alerts?", message.Entities()))
	}
	f.fetched = validators{answer.Header.Get("ETag"), answer.Header.Get("Last-Modified")}
	return f.fresh(all, now), nil
}

// positions are those of a message that arrives at a time.
func positions(message *recording.Message, arrival fleet.Instant) ([]fleet.Position, error) {
	var all []fleet.Position
	for {
		row, err := message.Next()
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		p := row.Position
		p.Seq = 0 // its place in one message tells nothing
		if p.Arrival <= 0 || p.Arrival > arrival {
			p.Arrival = arrival
		}
		all = append(all, p)
	}
}

// fresh are the positions that have not been taken.
func (f *Feed) fresh(all []fleet.Position, now time.Time) []fleet.Position {
	type fix struct {
		vehicle string
		at      fleet.Instant
	}
	var fresh []fleet.Position
	inMessage := map[fix]bool{}
	for _, p := range all {
		known, ok := f.seen[p.Vehicle]
		if ok {
			known.last = now
			f.seen[p.Vehicle] = known
		}
		this := fix{p.Vehicle, p.Instant}
		if _, isNew := known.fixes.Add(p); isNew && !inMessage[this] {
			fresh = append(fresh, p)
		}
		inMessage[this] = true
	}
	return fresh
}

// Done notes that positions which Fetch has returned are taken: it returns them no more.
func (f *Feed) Done(positions []fleet.Position, now time.Time) {
	f.taken = f.fetched
	for _, p := range positions {
		known := f.seen[p.Vehicle]
		known.fixes, _ = known.fixes.Add(p)
		known.last = now
		f.seen[p.Vehicle] = known
	}
	for vehicle, known := range f.seen {
		if now.Sub(known.last) > forgotten {
			delete(f.seen, vehicle)
		}
	}
}
