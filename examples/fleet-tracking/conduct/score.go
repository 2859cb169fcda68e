package conduct

import "math"

// A day is rated if the vehicle moved for ten minutes and drove five kilometres.
const (
	ratedTime     = 600.0  // seconds
	ratedDistance = 5000.0 // metres
)

const (
	fewTimepoints = 3   // departures and deliveries below which punctuality is not rated
	shortEnough   = 0.8 // the part of the moving time that short pairs must cover for harsh driving to be rated
)

// The parts of a score.
const (
	Overspeed   = "excesso"      // weight 40
	Idling      = "marchaLenta"  // weight 20
	Punctuality = "pontualidade" // weight 20
	Detours     = "desvios"      // weight 20
	Harshness   = "freadas"      // weight 40
)

// component is a part of the score: worst is the share at which all its weight is lost.
type component struct {
	name         string
	weight       int
	share, worst float64
	missing      string // why it cannot be computed; empty if it can
}

func (c component) lost() float64 { return float64(c.weight) * min(1, c.share/c.worst) }

func (d Day) components() []component {
	return []component{d.overspeed(), d.idling(), d.punctuality(), d.detours(), d.harshness()}
}

// Shares returns what costs points, by part of the score, for the parts that can be computed: of Overspeed the share of the moving fixes, or of
// the moving time, that is over the limit; of Idling the share of the time with the engine on in which the vehicle stands; of Punctuality the
// share of departures and deliveries that are early or late; of Detours their number per run; of Harshness its events per 100 km.
func (d Day) Shares() map[string]float64 {
	shares := map[string]float64{}
	for _, c := range d.components() {
		if c.missing == "" {
			shares[c.name] = c.share
		}
	}
	return shares
}

// rate sets the score, and what it is made of.
func (d *Day) rate() {
	d.Missing = map[string]string{}
	rated := d.Moving.Seconds() >= ratedTime && d.Distance.Metres() >= ratedDistance
	lost := 0.0
	for _, c := range d.components() {
		switch {
		case c.missing != "":
			d.Missing[c.name] = "not computable: " + c.missing
		case rated:
			d.Parts = append(d.Parts, c.name)
			d.Weight += c.weight
			lost += c.lost()
		}
	}
	if d.Weight == 0 {
		return
	}
	score := math.Round(1e6*100*(1-lost/float64(d.Weight))) / 1e6
	d.Score = &score
}

// overspeed prefers what the vehicle reports to what its positions show.
func (d Day) overspeed() component {
	c := component{name: Overspeed, weight: 40, worst: 0.05}
	switch {
	case d.JudgedFixes > 0:
		c.share = float64(d.OverFixes) / float64(d.JudgedFixes)
	case d.JudgedTime > 0:
		c.share = d.OverTime.Seconds() / d.JudgedTime.Seconds()
	case d.Limited > 0:
		c.missing = "the vehicle did not move"
	default:
		c.missing = "no limit is given"
	}
	return c
}

func (d Day) idling() component {
	c := component{name: Idling, weight: 20, worst: 0.20}
	switch {
	case d.KnowsIdling():
		c.share = d.Idle.Seconds() / max(0.001, (d.Idle+d.Moving).Seconds())
	case d.Standing() == 0 && d.Pairs > 0:
		c.missing = "the vehicle did not stand"
	default:
		c.missing = "no ignition"
	}
	return c
}

func (d Day) punctuality() component {
	c := component{name: Punctuality, weight: 20, worst: 1}
	switch {
	case d.Timepoints >= fewTimepoints:
		c.share = 1 - float64(d.OnTime)/float64(d.Timepoints)
	case d.Timepoints > 0:
		c.missing = "fewer than three departures at timepoints or deliveries"
	default:
		c.missing = "no departure at a timepoint and no delivery"
	}
	return c
}

func (d Day) detours() component {
	c := component{name: Detours, weight: 20, worst: 0.5}
	if d.Runs > 0 {
		c.share = float64(d.Detours) / float64(d.Runs)
	} else {
		c.missing = "no run with a known route"
	}
	return c
}

// harshness counts events per 100 km.
func (d Day) harshness() component {
	c := component{name: Harshness, weight: 40, worst: 10}
	switch {
	case d.Moving > 0 && d.ShortTime.Seconds() >= shortEnough*d.Moving.Seconds():
		c.share = float64(d.Accelerations+d.Brakings) / (d.Distance.Metres() / 100_000)
	case d.Reported == 0:
		c.missing = "no reported speed"
	default:
		c.missing = d.every()
	}
	return c
}
