package conduct

import "github.com/rio-streams/rio/examples/fleet-tracking/fleet"

// Figures are sums of whole numbers over the fixes of a sheet, and over the pairs of consecutive fixes that both belong to it.
type Figures struct {
	Fixes    int64        `json:"posicoes"`
	Pairs    int64        `json:"pares"`                      // at most 300 s apart and not faster than 50 m/s
	LeftOut  int64        `json:"paresDescartados,omitempty"` // other pairs
	Distance fleet.Length `json:"metros"`                     // of the pairs
	Time     fleet.Span   `json:"segundos"`                   // of the pairs
	Moving   fleet.Span   `json:"segundosAndando"`            // of pairs of at least 1 m/s

	Limited      int64      `json:"posicoesComLimite,omitempty"`        // fixes with a known speed limit
	Reported     int64      `json:"posicoesComVelocidade,omitempty"`    // fixes with a reported speed
	MovingFixes  int64      `json:"posicoesAndando,omitempty"`          // with a reported speed of at least 1 m/s
	JudgedFixes  int64      `json:"posicoesSobLimite,omitempty"`        // of those, the ones with a known limit
	OverFixes    int64      `json:"posicoesAcima,omitempty"`            // with a reported speed over the limit
	OverEpisodes int64      `json:"episodiosAcima,omitempty"`           // runs of such fixes
	JudgedTime   fleet.Span `json:"segundosSobLimite,omitempty"`        // of moving pairs with a limit
	OverSpans    int64      `json:"trechosAcima,omitempty"`             // spans of pairs over the limit, 15 s or longer
	OverTime     fleet.Span `json:"segundosAcima,omitempty"`            // of those
	Stands       int64      `json:"paradasLongas,omitempty"`            // spans of standing pairs, 300 s or longer
	StandTime    fleet.Span `json:"segundosParadasLongas,omitempty"`    // of those
	WithIgnition fleet.Span `json:"segundosParadoComIgnicao,omitempty"` // of standing pairs with the ignition known at both ends
	Idle         fleet.Span `json:"segundosMarchaLenta,omitempty"`      // of those, with the engine on at both ends

	Short         int64      `json:"paresCurtos,omitempty"`         // pairs at most 2 s apart
	ShortTime     fleet.Span `json:"segundosParesCurtos,omitempty"` // of those that move and have a reported speed at both ends
	Accelerations int64      `json:"aceleracoes,omitempty"`         // of short pairs, 2.5 m/s² or more
	Brakings      int64      `json:"freadas,omitempty"`             // of short pairs, -2.5 m/s² or less
}

// Standing returns how long the vehicle stood, as far as its fixes show.
func (f Figures) Standing() fleet.Span { return f.Time - f.Moving }

// Plus returns the sum of two figures.
func (f Figures) Plus(g Figures) Figures { return f.add(g, 1) }

// Minus returns the figures without g.
func (f Figures) Minus(g Figures) Figures { return f.add(g, -1) }

func (f Figures) add(g Figures, sign int64) Figures {
	length, span := fleet.Length(sign), fleet.Span(sign)
	f.Fixes += sign * g.Fixes
	f.Pairs += sign * g.Pairs
	f.LeftOut += sign * g.LeftOut
	f.Distance += length * g.Distance
	f.Time += span * g.Time
	f.Moving += span * g.Moving
	f.Limited += sign * g.Limited
	f.Reported += sign * g.Reported
	f.MovingFixes += sign * g.MovingFixes
	f.JudgedFixes += sign * g.JudgedFixes
	f.OverFixes += sign * g.OverFixes
	f.OverEpisodes += sign * g.OverEpisodes
	f.JudgedTime += span * g.JudgedTime
	f.OverSpans += sign * g.OverSpans
	f.OverTime += span * g.OverTime
	f.Stands += sign * g.Stands
	f.StandTime += span * g.StandTime
	f.WithIgnition += span * g.WithIgnition
	f.Idle += span * g.Idle
	f.Short += sign * g.Short
	f.ShortTime += span * g.ShortTime
	f.Accelerations += sign * g.Accelerations
	f.Brakings += sign * g.Brakings
	return f
}
