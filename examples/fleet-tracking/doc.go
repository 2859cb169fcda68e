// Command fleet-tracking follows a fleet of buses with Rio: vehicles send positions, and out come average speeds, deviations from the
// route, delays and progress.
//
//	fleet-tracking
//
// drives a simulated fleet in Aracaju, live in the terminal, on a Kafka broker inside the process.
// With -freight it is a day of deliveries: routes, promised windows and drivers, failed deliveries, detours, GPS gaps and a wrong
// clock. At its end the results are compared with what happened. With -freight -write DIR the day is written as the files that a
// company of its own would have; how to process them is told then. -days simulates so many days, also of buses, whose simulation has no end
// otherwise.
//
//	fleet-tracking -gtfs FEED -positions FILE -out DIR
//
// works through a recording with the GTFS feed of its agency and writes the results as CSV files; without a feed, speeds and the
// account of rows. -records FILE adds what drivers noted about deliveries, JSON lines with the fields of fleet.DeliveryRecord, each at its
// time. With -data DIR the log is kept: a second start goes on where the first ended, and
//
//	fleet-tracking -data DIR -replay -out DIR2
//
// computes everything again from the first position on, with fresh state; the files come out the same, byte for byte. A log takes
// one recording after the other, and none twice.
//
//	fleet-tracking -data DIR -replay -from 2026-01-16T08:00:00-03:00 -to 2026-01-16T09:00:00-03:00 -out DIR2
//
// computes what happened in a span of time again. It reads the positions of eight days before it and of one day after: a
// forecast uses the legs of seven days, and a run that was under way then, or is at the end of the span, takes less than a day.
// So the results of the span are those of a replay of everything; account.csv alone counts all rows that were read.
//
//	fleet-tracking -live -as v2 -off-route 150 -brokers 127.0.0.1:9092
//
// runs a copy with a corrected definition beside a live program. See "A corrected definition" below.
//
//	fleet-tracking -live -gtfs FEED -data DIR -listen 127.0.0.1:9092
//
// sends nothing: positions come from vehicles of your own. The least that a record of localizacao-veiculos must have is the vehicle
// as its key and a value such as
//
//	{"lat":-10.95,"lon":-37.05,"instante":1768561200000}
//
// with the time in milliseconds since 1970; the fields of fleet.Position say what else it may have. Phones and trackers send them by HTTP to
// the address in -http; with
//
//	fleet-tracking -live -gtfs FEED -positions https://example.org/vehicle-positions -every 15s -data DIR
//
// the program asks a server for vehicle positions of GTFS-realtime again and again, and writes each once.
//
// # A corrected definition
//
// Say that a vehicle shall be off its route beyond 150 m, not 100 m, and this program runs live:
//
//	fleet-tracking -live -data frota -listen 127.0.0.1:9092
//
// Run a copy beside it, here v2, with its own three consumers. It reads everything that the log holds, and then what comes in. Its
// results go to topics that begin with v2-; the live ones stay as they are. The definition comes from a flag, as here, or from a
// changed program:
//
//	fleet-tracking -live -as v2 -off-route 150 -brokers 127.0.0.1:9092
//
// Compare a topic; with -all each result of a vehicle, without it the latest of each key:
//
//	rio diff desvios-de-rota v2-desvios-de-rota -all -brokers 127.0.0.1:9092
//
// Switch: end both with Ctrl-C, and start the copy in the place of the live program:
//
//	fleet-tracking -live -as v2 -off-route 150 -data frota -listen 127.0.0.1:9092
//
// It goes on where the copy ended, with its state from the log. Its topics have every result from the first position on, none
// missing and none twice, so whoever reads results reads the topic v2-… instead, from the beginning. A message in v2-avisos
// has the same id as in avisos, so who sends messages leaves out those that were sent. Without -as the program goes back: it catches up with
// what came in meanwhile. On a cluster (-brokers) the copy runs on, and to switch is to end the live program.
//
// # How it is made
//
//	fleet       what positions mean: values and functions, no stream in sight
//	tracking    the topology: topics, which step follows which, and what is kept
//	gtfs, recording, realtime, simulation, report   where input comes from, and where results go
//	the rest of this package              flags, the log, the terminal
//
// # Topics
//
// TOPICS.md lists all topics, who writes and reads them, and the fields of their values; topics.schema.json says the same as JSON Schema. Of
// paradas and trechos the last record of a stop of a run counts. previsoes has when each run was expected at the stops ahead, as it
// was told at each fix; eta.csv measures the same forecasts, but told from what had happened by then in event time, so that a
// replay gives the same.
package main
