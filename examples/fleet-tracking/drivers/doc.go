// Package drivers is the consumer of fleet management: how every driver drove on every local day, with a score, and a live ranking.
//
//	config.go    time zone, limits, how long figures are kept
//	topics.go    the topic of results and its settings
//	topology.go  which step follows which, and what is kept
//	steps.go     the steps that keep something
//	journal.go   what is kept of a vehicle's fixes, so that late ones count
//	ranking.go   the ranking, and a handler of HTTP requests
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
// # Data of persons
//
// Figures of a driver are personal data; in the European Union the GDPR applies, in Brazil the LGPD.
//
//   - How long: no longer than the purpose needs (GDPR Article 5(1)(e)); the law names no number. Two months is what the French
//     authority CNIL accepts for the positions of employees' vehicles in general, a year where they prove a service. Config.Keep is 60
//     days by default. It is the retention.ms of topic motoristas-dia (Config.TopicConfig), and the state forgets after the same time.
//     localizacao-veiculos, paradas, desvios-de-rota and atribuicoes name vehicles and times too: set their retention likewise, or keep
//     atribuicoes apart, because without it they name no driver.
//   - Who may see it: the driver (Articles 13 and 15; Handler shows one driver with ?motorista=NAME) and those who answer for driving,
//     nobody else. Give the group motoristas and few readers access to motoristas-dia, by ACL. Handler does not ask who
//     requests it: serve it on loopback, or behind a server that does.
//   - To erase a driver (Article 17), write a tombstone for each key motorista/NAME/DAY to motoristas-dia, and remove the name
//     from atribuicoes.
//   - A score alone must decide nothing about a person (Article 22). It leaves out what cannot be computed, and says so.
package drivers
