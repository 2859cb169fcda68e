package fleet

// Speed sums up the speeds that a vehicle reported in a window of time. The zero value has no fix. Speeds are in m/s.
type Speed struct {
	Count int64   `json:"posicoes"`
	Sum   float64 `json:"soma"`   // of the speeds
	Mean  float64 `json:"media"`  // average
	Max   float64 `json:"maxima"` // greatest
}

// Add takes in a fix. One without a speed changes nothing.
func (s Speed) Add(p Position) Speed {
	if p.Speed == nil {
		return s
	}
	v := *p.Speed
	if s.Count == 0 {
		s.Max = v
	}
	s.Count++
	s.Sum += v
	s.Mean = s.Sum / float64(s.Count)
	s.Max = max(s.Max, v)
	return s
}
