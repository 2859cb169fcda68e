package fleet

// ForecastRecord is a Forecast as topic previsoes has it. What there is to say of each stop ahead stands in lists that are as long as there are
// stops, and times are counted from the fix: that takes a third of the bytes of a list of stops.
type ForecastRecord struct {
	Forecast               // without its Stops
	Stops    ForecastStops `json:"paradas"` // in lists: the n-th items of all are about the n-th stop ahead
}

// ForecastStops are the stops ahead of a run, in the order of the trip. Times are in milliseconds after Forecast.Instant; they may be negative.
type ForecastStops struct {
	Sequences  []int         `json:"sequencia"` // the timetable's stop_sequence
	Stops      []string      `json:"parada"`
	Due        []Instant     `json:"chegadaPrevista"`    // planned arrivals, in ms after the fix
	Arrives    []Instant     `json:"chegada"`            // expected arrivals, likewise
	Low        []Instant     `json:"de"`                 // four of five such forecasts come true from here, likewise
	High       []Instant     `json:"ate"`                // to here, likewise
	Known      []int         `json:"trechosComHistoria"` // legs from here to the stop that other runs have driven
	Waits      []PlannedWait `json:"esperas,omitempty"`  // where the run waits for its planned departure
	Deliveries []int         `json:"entregas,omitempty"` // sequences of the stops that are deliveries
}

// PlannedWait is a timepoint ahead: the run does not leave it before it is planned to.
type PlannedWait struct {
	Sequence int     `json:"sequencia"`
	Leaves   Instant `json:"partidaPrevista"` // planned departure, in ms after the fix
}

// Record returns the forecast as the value of topic previsoes.
func (f Forecast) Record() ForecastRecord {
	n, times := len(f.Stops), make([]Instant, 4*len(f.Stops))
	stops := ForecastStops{
		Sequences: make([]int, n), Stops: make([]string, n), Known: make([]int, n),
		Due: times[:n:n], Arrives: times[n : 2*n : 2*n], Low: times[2*n : 3*n : 3*n], High: times[3*n:],
	}
	for i, stop := range f.Stops {
		stops.Sequences[i], stops.Stops[i], stops.Known[i] = stop.Sequence, stop.Stop, stop.Known
		stops.Due[i], stops.Arrives[i] = stop.Due-f.Instant, stop.Arrives-f.Instant
		stops.Low[i], stops.High[i] = stop.Low-f.Instant, stop.High-f.Instant
		if stop.Leaves != 0 {
			stops.Waits = append(stops.Waits, PlannedWait{stop.Sequence, stop.Leaves - f.Instant})
		}
		if stop.Delivery {
			stops.Deliveries = append(stops.Deliveries, stop.Sequence)
		}
	}
	f.Stops = nil
	return ForecastRecord{Forecast: f, Stops: stops}
}

// Whole returns the forecast of the record. Where a list is too short, the stop lacks what it would say.
func (r ForecastRecord) Whole() Forecast {
	f, s := r.Forecast, r.Stops
	f.Stops = make([]Expected, len(s.Sequences))
	for i, sequence := range s.Sequences {
		f.Stops[i] = Expected{
			Sequence: sequence, Stop: entry(s.Stops, i), Known: entry(s.Known, i),
			Due: f.Instant + entry(s.Due, i), Arrives: f.Instant + entry(s.Arrives, i), Low: f.Instant + entry(s.Low, i), High: f.Instant + entry(s.High, i),
		}
	}
	at := map[int]int{}
	if len(s.Waits)+len(s.Deliveries) > 0 {
		for i, sequence := range s.Sequences {
			at[sequence] = i
		}
	}
	for _, wait := range s.Waits {
		if i, ok := at[wait.Sequence]; ok {
			f.Stops[i].Leaves = f.Instant + wait.Leaves
		}
	}
	for _, sequence := range s.Deliveries {
		if i, ok := at[sequence]; ok {
			f.Stops[i].Delivery = true
		}
	}
	return f
}

// entry returns an entry of a list, or the zero value behind its end.
func entry[T any](list []T, i int) (value T) {
	if i < len(list) {
		value = list[i]
	}
	return value
}
