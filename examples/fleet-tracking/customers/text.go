package customers

import (
	"fmt"
	"strings"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
)

// language has the sentences of messages and pages. The comments name what is inserted into each, in order.
type language struct {
	phases     map[Phase]string
	reasons    map[string]string
	failed     string // reason
	within     string // three durations: expected, shortest, longest
	late       string // duration
	onTime     string
	noSignal   string
	arrivedBy  map[bool]string // true: late, false: early; duration
	correction string
	page       words
}

// words are the sentences of pages. The comments name what is inserted.
type words struct {
	Lang, Delivery, Deliveries, Promised, Refreshes string

	expected  string // times of the day: expected, low, high; time left
	arrived   string // time of the day
	latest    string // day, time of the day
	corrected string

	bySource map[source]string
}

// source says on what a status rests.
type source string

const (
	byPlan      source = "plan"
	byPositions source = "positions" // of the vehicle
	byRecord    source = "record"    // of the driver
)

// sourceOf returns what a status rests on.
func sourceOf(s Status) source {
	switch {
	case s.Recorded:
		return byRecord
	case s.Vehicle == "" || s.Phase == Planned && !s.Late && s.NoSignal == 0:
		return byPlan
	}
	return byPositions
}

// source says in a sentence which system says what a page says, and from what it knows.
func (l language) source(s Status) string { return l.page.bySource[sourceOf(s)] }

var portuguese = language{
	phases: map[Phase]string{
		Planned:  "Sua entrega está programada.",
		OnItsWay: "Sua entrega está a caminho.",
		Next:     "Sua entrega é a próxima.",
		Arriving: "Sua entrega está chegando.",
		Arrived:  "O veículo chegou.",
		Visited:  "O veículo esteve no local, mas por pouco tempo: a entrega não está confirmada.",
		Served:   "Entrega concluída.",
	},
	reasons: map[string]string{
		fleet.ReasonSkipped: "o veículo seguiu para outras entregas",
		fleet.ReasonTooLate: "nenhum veículo chegou até quatro horas depois do horário prometido",
		fleet.ReasonDriver:  "segundo o motorista",
	},
	failed:     "A entrega não foi feita: %s.",
	within:     "Previsão: em cerca de %s (%s a %s).",
	late:       "Atraso de cerca de %s.",
	onTime:     "Não há mais atraso.",
	noSignal:   "O veículo está sem sinal.",
	arrivedBy:  map[bool]string{true: "Chegada %s depois do horário prometido.", false: "Chegada %s antes do horário prometido."},
	correction: "Correção:",
	page: words{
		Lang: "pt-BR", Delivery: "Entrega", Deliveries: "Entregas", Promised: "Prometida para",
		Refreshes: "Esta página se atualiza a cada 30 segundos.",
		expected:  "Previsão: %s (entre %s e %s), em cerca de %s.",
		arrived:   "O veículo chegou às %s.",
		latest:    "Última notícia: %s %s.",
		corrected: "Esta informação corrige uma anterior.",
		bySource: map[source]string{
			byPlan:      "Informação do sistema fleet-tracking, conforme o plano de entregas.",
			byPositions: "Informação do sistema fleet-tracking, calculada a partir das posições do veículo.",
			byRecord:    "Informação do sistema fleet-tracking, conforme o registro do motorista.",
		},
	},
}

var english = language{
	phases: map[Phase]string{
		Planned:  "Your delivery is planned.",
		OnItsWay: "Your delivery is on its way.",
		Next:     "Your delivery is next.",
		Arriving: "Your delivery is arriving.",
		Arrived:  "The vehicle has arrived.",
		Visited:  "The vehicle was there, but not for long: the delivery is not confirmed.",
		Served:   "Your delivery is complete.",
	},
	reasons: map[string]string{
		fleet.ReasonSkipped: "the vehicle went on to other deliveries",
		fleet.ReasonTooLate: "no vehicle came until four hours after the promised time",
		fleet.ReasonDriver:  "says the driver",
	},
	failed:     "The delivery has failed: %s.",
	within:     "Expected in about %s (%s to %s).",
	late:       "Late by about %s.",
	onTime:     "It is no longer late.",
	noSignal:   "The vehicle has no signal.",
	arrivedBy:  map[bool]string{true: "It arrived %s after the promised time.", false: "It arrived %s before the promised time."},
	correction: "Correction:",
	page: words{
		Lang: "en", Delivery: "Delivery", Deliveries: "Deliveries", Promised: "Promised for",
		Refreshes: "This page refreshes every 30 seconds.",
		expected:  "Expected at %s (between %s and %s), in about %s.",
		arrived:   "The vehicle arrived at %s.",
		latest:    "Latest news: %s %s.",
		corrected: "This corrects what was said before.",
		bySource: map[source]string{
			byPlan:      "Says the system fleet-tracking, by the plan of deliveries.",
			byPositions: "Says the system fleet-tracking, computed from the positions of the vehicle.",
			byRecord:    "Says the system fleet-tracking, by the record of the driver.",
		},
	},
}

// text is a message in a few sentences.
func (l language) text(m Message, onTime bool) string {
	var say []string
	if m.Correction {
		say = append(say, l.correction)
	}
	say = append(say, l.phase(m.Phase, m.Reason))
	if m.NoSignal {
		say = append(say, l.noSignal)
	}
	if m.Minutes != nil {
		say = append(say, fmt.Sprintf(l.within, span(m.Minutes.About), span(m.Minutes.Low), span(m.Minutes.High)))
	}
	switch ahead := m.Phase.ahead(); {
	case onTime:
		say = append(say, l.onTime)
	case ahead && m.LateBy > 0:
		say = append(say, fmt.Sprintf(l.late, span(m.LateBy)))
	case !ahead && m.LateBy+m.EarlyBy > 0:
		say = append(say, fmt.Sprintf(l.arrivedBy[m.LateBy > 0], span(m.LateBy+m.EarlyBy)))
	}
	return strings.Join(say, " ")
}

// phase is a phase in one sentence.
func (l language) phase(p Phase, reason string) string {
	if p != Failed {
		return l.phases[p]
	}
	if known, ok := l.reasons[reason]; ok {
		reason = known
	}
	return fmt.Sprintf(l.failed, strings.TrimRight(reason, ". "))
}

// span is a time in both languages, such as "8 min" or "1 h 20 min".
func span(minutes int) string {
	if minutes < 60 {
		return fmt.Sprintf("%d min", minutes)
	}
	return fmt.Sprintf("%d h %d min", minutes/60, minutes%60)
}
