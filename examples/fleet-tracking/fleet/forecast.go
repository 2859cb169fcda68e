package fleet

// Forecast tells, at a fix, when the run is expected at each stop ahead. It is the value of topic previsoes, keyed by vehicle.
type Forecast struct {
	Run
	Instant Instant    `json:"instante"` // of the fix
	Stops   []Expected `json:"paradas"`  // in the order of the trip
}

// Expected is when a run is expected at a stop.
type Expected struct {
	Sequence int     `json:"sequencia"` // the timetable's stop_sequence
	Stop     string  `json:"parada"`
	Arrives  Instant `json:"chegada"`
	Low      Instant `json:"de"` // four of five such forecasts come true between Low and High
	High     Instant `json:"ate"`
	Legs     int     `json:"trechos,omitempty"`            // from here to the stop
	Known    int     `json:"trechosComHistoria,omitempty"` // of them, legs that other runs have driven
	Delivery bool    `json:"entrega,omitempty"`            // the stop is a delivery, whose id Stop is
}
