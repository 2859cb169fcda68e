package fleet

// Deviation says how far a fix lies from the path of its trip. It is the value of topic desvios-de-rota.
type Deviation struct {
	Seq      int64    `json:"seq,omitempty"` // of the position
	Vehicle  string   `json:"veiculo"`
	Route    string   `json:"linha,omitempty"`
	Trip     string   `json:"viagem"`
	Day      string   `json:"data,omitempty"`
	Instant  Instant  `json:"instante"`
	Distance float64  `json:"distancia"`          // metres to the shape
	Episode  *Episode `json:"episodio,omitempty"` // the off-route episode that the fix belongs to, as far as it has gone
}

// Episode is a time off the route: two or more consecutive fixes of one vehicle, trip and service day, all farther than the corridor
// of the trip from the shape. First tells the episodes of a trip apart; the latest value of each is the whole of it.
type Episode struct {
	First Instant `json:"inicio"`
	Last  Instant `json:"fim"`
	Fixes int     `json:"posicoes"`
	Max   float64 `json:"maxima"` // greatest distance, in metres
}

// Arrival says when a vehicle reached a stop of its trip. It is the value of topic atrasos, once for each stop.
type Arrival struct {
	Vehicle  string  `json:"veiculo"`
	Route    string  `json:"linha,omitempty"`
	Trip     string  `json:"viagem"`
	Day      string  `json:"data,omitempty"`
	Sequence int     `json:"sequencia"` // the timetable's stop_sequence
	Stop     string  `json:"parada"`
	Name     string  `json:"nome,omitempty"`
	Due      Instant `json:"previsto"` // planned arrival
	Arrived  Instant `json:"chegada"`  // when the vehicle was there
	Delay    float64 `json:"atraso"`   // seconds, positive when late
}

// Progress says how far a vehicle is on its trip. It is the value of topic progresso.
type Progress struct {
	Vehicle string    `json:"veiculo"`
	Route   string    `json:"linha,omitempty"`
	Trip    string    `json:"viagem"`
	Day     string    `json:"data,omitempty"`
	Instant Instant   `json:"instante"`
	Along   float64   `json:"percorrido"`        // metres from the start of the shape
	Length  float64   `json:"total"`             // metres of the shape
	Next    *NextStop `json:"proxima,omitempty"` // absent behind the last stop
	Delay   *float64  `json:"atraso,omitempty"`  // seconds at the latest stop, absent before the first arrival
}

// NextStop is the stop ahead of a vehicle.
type NextStop struct {
	Sequence int     `json:"sequencia"`
	Stop     string  `json:"parada"`
	Name     string  `json:"nome,omitempty"`
	Ahead    float64 `json:"distancia"`          // metres
	Due      Instant `json:"previsto,omitempty"` // absent for a trip without planned times
}

// Observation is all that one fix tells about a trip. What it does not tell is nil.
type Observation struct {
	Deviation *Deviation
	Arrivals  []Arrival
	Progress  *Progress
}

// Deviations is the deviation, if there is one.
func (o Observation) Deviations() []Deviation { return optional(o.Deviation) }

// Delays are the arrivals.
func (o Observation) Delays() []Arrival { return o.Arrivals }

// Advances is the progress, if there is one.
func (o Observation) Advances() []Progress { return optional(o.Progress) }

func optional[T any](value *T) []T {
	if value == nil {
		return nil
	}
	return []T{*value}
}
