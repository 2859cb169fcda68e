// Package drivers is the consumer of fleet management: how every driver drove on every local day, with a score, and a live ranking.
//
//	config.go    time zone, limits, how long figures are kept
//	topics.go    the topic of results and its settings
//	topology.go  which step follows which, and what is kept
//	steps.go     the steps that keep something
//	journal.go   what is kept of a vehicle's fixes, so that late ones count
//	ranking.go   the ranking, also as text
//	pages.go     the ranking by HTTP
//
// It reads the positions and what package tracking makes of them: paradas for punctuality, desvios-de-rota for detours. Topic atribuicoes
// says who drives which vehicle when; a fix counts for the driver who is known when the fix comes, so an assignment should be written
// before the drive. Without an assignment the figures are those of the vehicle, and the key says so. What the figures mean is told by
// package conduct.
//
//	top, err := drivers.New(drivers.Config{Zone: zone, Limits: drivers.Limits{Fleet: 60}})
//	...
//	app, err := runner.Start(ctx, top, runner.Config{Brokers: brokers, Dir: dir})
//
// # What a recording cannot show
//
// A Day says "not computable" and why, never 0, for what its positions do not show:
//
//   - Harsh braking and acceleration need a reported speed and fixes at most two seconds apart; at the usual 10 to 60 seconds, and from
//     positions alone, a stop looks the same however hard the driver brakes.
//   - Overspeed needs a limit. No recording and no GTFS feed has the limits of roads: Limits are what the fleet sets. Between two fixes only the mean
//     speed is known, and the straight line between them is shorter than the road, so short spans over the limit are missed.
//   - Idling needs the ignition. A vehicle that stands may have its engine off.
//   - Punctuality needs timepoints or promised windows, and detours a route. A detour or a late departure can be due to
//     traffic or an order of the dispatcher; the figures do not tell why.
//   - Who drives is only known from atribuicoes. Cornering, the use of a phone and seat belts are in no position at all.
//
// # Data of persons
//
// Figures of a driver are personal data; in the European Union the GDPR applies, in Brazil the LGPD.
//
//   - How long: no longer than the purpose needs (GDPR Article 5(1)(e)); the law names no number. Two months is what the French
//     authority CNIL accepts for the positions of employees' vehicles in general, a year where they prove a service. Config.Keep is 60
//     days by default. It is the retention.ms of topic motoristas-dia (Config.TopicConfig, KeptFor), and the state forgets after the same time.
//     Program fleet-tracking has the flag -keep-drivers for it.
//     localizacao-veiculos, paradas, desvios-de-rota and atribuicoes name vehicles and times too: set their retention likewise, or keep
//     atribuicoes apart, because without it they name no driver.
//   - Who may see it: the driver (Articles 13 and 15; Handler shows one driver with ?motorista=NAME) and those who answer for driving,
//     nobody else. Give the group motoristas and few readers access to motoristas-dia, by ACL. Handler does not ask who
//     requests it: serve it on loopback, or behind a server that does.
//   - To erase a driver (Article 17), write a tombstone for each key motorista/NAME/DAY to motoristas-dia, and remove the name
//     from atribuicoes.
//   - A score alone must decide nothing about a person (Article 22). It leaves out what cannot be computed, and says so.
package drivers
