package logistics

import (
	"cmp"
	"reflect"
	"slices"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/state"
)

// Timetables are corrected where their paths are: a few paths have the stops of all trips. What is known of the legs between two stops goes
// to the paths that have them, and there to the trips that begin such a leg in that hour.

// advised is what is known of a leg in an hour, as soon as that changes.
type advised struct {
	fleet.LegKey
	fleet.Advice
}

// advise tells what is known of a leg in an hour when it changes.
func advise(c *processor.Context[fleet.LegKey, advised]) processor.Handler[fleet.LegKey, fleet.LegSummary] {
	told := toldAdvice.In(c)
	return func(r processor.Record[fleet.LegKey, fleet.LegSummary]) error {
		before, _, err := told.Get(r.Key)
		if err != nil {
			return err
		}
		after := r.Value.Advice()
		if after == before {
			return nil
		}
		if err := told.Put(r.Key, after, r.Timestamp); err != nil {
			return err
		}
		return c.Emit(r.Key, advised{r.Key, after})
	}
}

// link is two stops next to each other on a path, and place a path that has it: from the stop of an index on.
type (
	link struct {
		From string `json:"daParada"`
		To   string `json:"aParada"`
	}
	place struct {
		Path  string `json:"trajeto"`
		Index int    `json:"indice"`
	}
	linked struct {
		link
		place
	}
)

// lay tells the links of each path. Nobody changes a path.
func lay(c *processor.Context[string, linked]) processor.Handler[string, fleet.Path] {
	return func(r processor.Record[string, fleet.Path]) error {
		for i := 1; i < len(r.Value.Stops); i++ {
			from, to := r.Value.Stops[i-1].ID, r.Value.Stops[i].ID
			if err := c.Emit(r.Key, linked{link{from, to}, place{r.Key, i - 1}}); err != nil {
				return err
			}
		}
		return nil
	}
}

func linkOfPath(l linked) link         { return l.link }
func linkOfAdvised(a advised) link     { return link{a.From, a.To} }
func pathOfPlace(a placeAdvice) string { return a.Path }

// linkNews is a place where a path has a link or, if advice is given, what is known of it in an hour.
type linkNews struct {
	place  place
	advice *hourAdvice
}

// hourAdvice is what is known of a leg in an hour.
type hourAdvice struct {
	Hour int `json:"hora"`
	fleet.Advice
}

func newsOfPath(l linked) linkNews     { return linkNews{place: l.place} }
func newsOfAdvised(a advised) linkNews { return linkNews{advice: &hourAdvice{a.Hour, a.Advice}} }

// audience is the paths that have a link, and what is known of it by the hour.
type audience struct {
	Places []place      `json:"lugares"`
	Hours  []hourAdvice `json:"horas"`
}

// placeAdvice is what is known of the leg of a path in an hour.
type placeAdvice struct {
	place
	hourAdvice
}

// spread passes the advice about a link to the paths that use it: all advice to a new path, and new advice to every path.
func spread(c *processor.Context[link, placeAdvice]) processor.Handler[link, linkNews] {
	all := audiences.In(c)
	return func(r processor.Record[link, linkNews]) error {
		known, _, err := all.Get(r.Key)
		if err != nil {
			return err
		}
		places, hours := []place{r.Value.place}, known.Hours
		switch advice := r.Value.advice; {
		case advice != nil:
			places, hours = known.Places, []hourAdvice{*advice}
			known.Hours = withHour(known.Hours, *advice)
		case slices.Contains(known.Places, r.Value.place):
			return nil
		default:
			known.Places = append(slices.Clip(known.Places), r.Value.place)
		}
		if err := all.Put(r.Key, known, r.Timestamp); err != nil {
			return err
		}
		for _, p := range places {
			for _, h := range hours {
				if err := c.Emit(r.Key, placeAdvice{p, h}); err != nil {
					return err
				}
			}
		}
		return nil
	}
}

// withHour returns the advice of all hours with that of one of them. Advice that knows nothing takes the hour away.
func withHour(hours []hourAdvice, advice hourAdvice) []hourAdvice {
	i, found := slices.BinarySearchFunc(hours, advice.Hour, func(h hourAdvice, hour int) int { return cmp.Compare(h.Hour, hour) })
	hours = slices.Clone(hours)
	switch known := advice.Advice != (fleet.Advice{}); {
	case found && known:
		hours[i] = advice
	case found:
		hours = slices.Delete(hours, i, i+1)
	case known:
		hours = slices.Insert(hours, i, advice)
	}
	return hours
}

// plannedTrip is a trip of the latest version of a timetable, or one that it has no more on this path.
type plannedTrip struct {
	fleet.Schedule
	Moved bool `json:"mudou,omitempty"` // an earlier version has it on another path
	Gone  bool `json:"saiu,omitempty"`
}

// plannedTrips are the trips of a timetable.
func plannedTrips(t fleet.Timetable) []plannedTrip {
	if len(t.Versions) == 0 {
		return nil
	}
	type on struct{ trip, path string }
	earlier := map[on]bool{}
	moved := map[string]bool{}
	latest := t.Versions[len(t.Versions)-1].Trips
	now := map[on]bool{}
	for _, s := range latest {
		now[on{s.ID, s.Path}] = true
	}
	var all []plannedTrip
	for _, version := range t.Versions[:len(t.Versions)-1] {
		for _, s := range version.Trips {
			key := on{s.ID, s.Path}
			if now[key] || earlier[key] {
				continue
			}
			earlier[key], moved[s.ID] = true, true
			all = append(all, plannedTrip{Schedule: fleet.Schedule{ID: s.ID, Path: s.Path}, Gone: true})
		}
	}
	for _, s := range latest {
		all = append(all, plannedTrip{Schedule: *s, Moved: moved[s.ID]})
	}
	return all
}

func pathOfTrip(t plannedTrip) string { return t.Path }

// pathNews is news of a path: a trip that takes it, or advice about one of its legs. Without either, the path itself is new.
type pathNews struct {
	trip   *plannedTrip
	advice *placeAdvice
}

func newsOfTrip(t plannedTrip) pathNews   { return pathNews{trip: &t} }
func newsOfAdvice(a placeAdvice) pathNews { return pathNews{advice: &a} }

// pathHour is the trips of a path that begin a leg in an hour, and what is known of legs then.
type pathHour struct {
	Trips  []string    `json:"viagens"`   // sorted
	Advice []legAdvice `json:"conselhos"` // in the order of the legs
}

// legAdvice is what is known of the leg of a path that begins at the stop of an index.
type legAdvice struct {
	Index int `json:"indice"`
	fleet.Advice
}

// advice is what is known of a leg.
func (h pathHour) advice(index int) fleet.Advice {
	if i, found := h.find(index); found {
		return h.Advice[i].Advice
	}
	return fleet.Advice{}
}

func (h pathHour) find(index int) (int, bool) {
	return slices.BinarySearchFunc(h.Advice, index, func(a legAdvice, index int) int { return cmp.Compare(a.Index, index) })
}

// advise returns the hour with what is known of a leg. It leaves h as it was.
func (h pathHour) advise(leg legAdvice) pathHour {
	i, found := h.find(leg.Index)
	h.Advice = slices.Clone(h.Advice)
	if !found {
		h.Advice = slices.Insert(h.Advice, i, leg)
	}
	h.Advice[i] = leg
	return h
}

// with returns the hour with a trip, or without it. It leaves h as it was.
func (h pathHour) with(trip string, drives bool) pathHour {
	i, found := slices.BinarySearch(h.Trips, trip)
	switch {
	case drives && !found:
		h.Trips = slices.Insert(slices.Clone(h.Trips), i, trip)
	case found && !drives:
		h.Trips = slices.Delete(slices.Clone(h.Trips), i, i+1)
	}
	return h
}

// pathTrip names a trip of a path, and pathHourKey an hour.
type (
	pathTrip struct {
		Path string `json:"trajeto"`
		Trip string `json:"viagem"`
	}
	pathHourKey struct {
		Path string `json:"trajeto"`
		Hour int    `json:"hora"`
	}
)

// corrector corrects the timetables of the trips of paths.
type corrector struct {
	c     *processor.Context[string, fleet.CorrectedTrip]
	paths *state.ReadOnly[string, fleet.Path]
	trips *state.KeyValue[pathTrip, fleet.Schedule]
	hours *state.KeyValue[pathHourKey, pathHour]
}

// correct emits the corrected timetable of a trip when it changes. A trip of which nothing is corrected has none, unless it had one.
func (p plan) correct(c *processor.Context[string, fleet.CorrectedTrip]) processor.Handler[string, pathNews] {
	k := corrector{c, p.paths.In(c), pathTrips.In(c), pathHours.In(c)}
	return func(r processor.Record[string, pathNews]) error {
		if r.Value.trip != nil {
			return k.plan(*r.Value.trip, r.Timestamp)
		}
		return k.advise(*r.Value.advice, r.Timestamp)
	}
}

// plan takes in a trip.
func (k corrector) plan(t plannedTrip, at int64) error {
	name := pathTrip{t.Path, t.ID}
	before, _, err := k.trips.Get(name)
	if err != nil {
		return err
	}
	old, err := k.corrected(before, k.hour)
	if err != nil {
		return err
	}
	after := t.Schedule
	if t.Gone || !after.Correctable() {
		after = fleet.Schedule{ID: t.ID, Path: t.Path}
		err = k.trips.Delete(name, at)
	} else {
		err = k.trips.Put(name, after, at)
	}
	if err != nil {
		return err
	}
	begins := map[int]bool{} // the hours of both, and whether a leg begins then by the new plan
	for _, hour := range before.LegHours() {
		begins[hour] = false
	}
	for _, hour := range after.LegHours() {
		begins[hour] = true
	}
	for hour, drives := range begins {
		update := func(h pathHour, _ bool) pathHour { return h.with(t.ID, drives) }
		if _, err := k.hours.Update(pathHourKey{t.Path, hour}, at, update); err != nil {
			return err
		}
	}
	if t.Gone {
		return nil
	}
	corrected, err := k.corrected(after, k.hour)
	if err != nil {
		return err
	}
	return k.emit(old, corrected, t.Moved)
}

// advise takes in what is known of a leg of a path.
func (k corrector) advise(a placeAdvice, at int64) error {
	key := pathHourKey{a.Path, a.Hour}
	change, err := k.hours.Update(key, at, func(h pathHour, _ bool) pathHour { return h.advise(legAdvice{a.Index, a.Advice}) })
	if err != nil {
		return err
	}
	before := func(other pathHourKey) (pathHour, error) {
		if other == key {
			return change.Old, nil
		}
		return k.hour(other)
	}
	for _, id := range change.New.Trips {
		trip, _, err := k.trips.Get(pathTrip{a.Path, id})
		if err != nil {
			return err
		}
		if hours := trip.LegHours(); a.Index >= len(hours) || hours[a.Index] != a.Hour {
			continue
		}
		old, err := k.corrected(trip, before)
		if err != nil {
			return err
		}
		corrected, err := k.corrected(trip, k.hour)
		if err != nil {
			return err
		}
		if err := k.emit(old, corrected, false); err != nil {
			return err
		}
	}
	return nil
}

func (k corrector) hour(key pathHourKey) (pathHour, error) {
	h, _, err := k.hours.Get(key)
	return h, err
}

// corrected returns the timetable of a trip, corrected by the advice for each hour. It is empty if the path of the trip is unknown.
func (k corrector) corrected(s fleet.Schedule, hour func(pathHourKey) (pathHour, error)) (fleet.CorrectedTrip, error) {
	if len(s.Times) == 0 {
		return fleet.CorrectedTrip{}, nil
	}
	path, _, err := k.paths.Get(s.Path)
	if err != nil {
		return fleet.CorrectedTrip{}, err
	}
	trip, ok := s.Planned(path)
	if !ok {
		return fleet.CorrectedTrip{}, nil
	}
	known := map[int]pathHour{}
	for _, h := range s.LegHours() {
		if _, ok := known[h]; ok {
			continue
		}
		if known[h], err = hour(pathHourKey{s.Path, h}); err != nil {
			return fleet.CorrectedTrip{}, err
		}
	}
	return trip.Corrected(func(index, hour int) fleet.Advice { return known[hour].advice(index) }), nil
}

func (k corrector) emit(old, corrected fleet.CorrectedTrip, always bool) error {
	changes := !reflect.DeepEqual(old, corrected) && old.Corrected+corrected.Corrected > 0
	if corrected.ID == "" || !changes && !always {
		return nil
	}
	return k.c.Emit(corrected.ID, corrected)
}
