package conduct

import (
	"fmt"
	"maps"
	"slices"
)

// Day is how a driver drove on a local day, or how a vehicle without a known driver was driven. It is the value of topic
// motoristas-dia. The latest value of a sheet counts.
type Day struct {
	Sheet
	Vehicles []string `json:"veiculos,omitempty"` // that the driver drove
	Figures
	Peaks
	Runs       int      `json:"percursos,omitempty"`  // that could be compared with their route
	Detours    int      `json:"desvios,omitempty"`    // episodes off the route
	Timepoints int      `json:"partidas,omitempty"`   // departures at timepoints, and arrivals at deliveries
	OnTime     int      `json:"pontuais,omitempty"`   // of them, 60 s early to 300 s late; at a delivery, within its window
	Early      int      `json:"adiantadas,omitempty"` // of them, earlier
	Late       int      `json:"atrasadas,omitempty"`  // of them, later
	Score      *float64 `json:"nota,omitempty"`       // 0 to 100, absent if the vehicle was driven too little
	Weight     int      `json:"pesos"`                // the sum of the weights of the score's parts; 0 without a score
	Parts      []string `json:"partes,omitempty"`     // of the score
	// Missing says of what cannot be computed why, such as "not computable: fixes every 31 s".
	Missing map[string]string `json:"naoCalculado,omitempty"`
}

// Day returns what the book of a sheet says.
func (b Book) Day(sheet Sheet) Day {
	d := Day{Sheet: sheet, Runs: len(b.Runs), Timepoints: len(b.Calls)}
	for _, vehicle := range slices.Sorted(maps.Keys(b.Parts)) {
		part := b.Parts[vehicle]
		d.Figures, d.Peaks = d.Figures.Plus(part.Figures), d.Peaks.With(part.Peaks)
		if sheet.Driver != "" {
			d.Vehicles = append(d.Vehicles, vehicle)
		}
	}
	for _, detours := range b.Runs {
		d.Detours += len(detours)
	}
	for _, grade := range b.Calls {
		switch grade {
		case OnTime:
			d.OnTime++
		case Early:
			d.Early++
		case Late:
			d.Late++
		}
	}
	d.rate()
	return d
}

// MeanSpeed returns the speed from positions in m/s; false if there is no pair of fixes.
func (d Day) MeanSpeed() (float64, bool) {
	if d.Time == 0 {
		return 0, false
	}
	return rounded(d.Distance.Metres() / d.Time.Seconds()), true
}

// KnowsIdling reports whether idling can be computed.
func (d Day) KnowsIdling() bool { return d.WithIgnition > 0 }

// every says how far fixes are apart.
func (d Day) every() string {
	if d.Pairs == 0 {
		return "no two fixes are near enough"
	}
	return fmt.Sprintf("fixes every %.0f s", d.Time.Seconds()/float64(d.Pairs))
}
