// Package customers tells customers how their deliveries come along. Application atendimento follows each delivery from the plan
// until it is served, writes its status to topic entregas-situacao, and a message to topic avisos when the status changes. Handler
// serves a page for each delivery.
//
//	status.go    what a delivery can be: planned, on its way, next, arriving, arrived, served, failed; late, no signal
//	case.go      one delivery: an event in, the next state out
//	event.go     what can happen to it
//	message.go   when a customer is told something, and what
//	text.go      the sentences, in Portuguese and English
//	round.go     which news of a run bears on which of its deliveries
//	signal.go    when a vehicle was last heard of
//	topics.go, topology.go, steps.go    the topology
//	pages.go, link.go                   the pages
//
// # Time
//
// Everything is decided in event time, the time of fixes, so that a replay decides the same. What happens because time passes (no fix
// for 10 minutes, failed 30 minutes after a later delivery or four hours after the window, a message that waits) happens at its
// deadline: the status and the message bear that moment, whether a later record of the vehicle or of another shows that it has
// passed. So the messages of a delivery do not depend on the number of partitions, as long as vehicles do not lag behind each other in
// the log by more than a minute, and have the same ids in every replay. See docs/adr/0026.
//
// They may lag more while the topology works through a log of many hours beside an application fleet-tracking that does the same: then news of
// one vehicle may be hours ahead of another's, and a customer may be told too soon that a delivery failed. When the news comes, a message
// corrects it, but not within 5 minutes of event time of the one before. Start the topology on such a log after fleet-tracking has caught up.
//
// The time of topic entregas does not matter: a delivery may be loaded before or after the first news of its trip. Customers get no
// messages of what happened before it was loaded.
//
// # What it leaves to others
//
// It sends no messages. Who does reads topic avisos, leaves out ids that were sent and messages whose time is long past, and adds the
// link of the page.
//
// # Data of persons
//
// Topics entregas, entregas-situacao and avisos name customers and say where they are when: personal data, to which in the European Union the GDPR
// applies, in Brazil the LGPD. Keep none longer than its purpose needs (GDPR Article 5(1)(e), LGPD Articles 15 and 16).
//
//   - A message serves no purpose once it is sent and the delivery is over. MessageConfig deletes messages by their age; DefaultKeep is 30 days, for
//     complaints, and for senders that look ids up after a replay. Program fleet-tracking has the flag -keep-messages for it.
//   - The status of a delivery, and what the topology remembers of it, is deleted 30 days after its end, or at once when the delivery is deleted from
//     entregas. Entregas-situacao should be compacted, so that the deletion reaches its records.
//   - To erase a customer (GDPR Article 17, LGPD Article 18), write a tombstone for each delivery to entregas. Messages are
//     deleted by age only: choose the age accordingly, or let customer be a number that another system has the name of.
//   - Topic entregas is the plan of whoever writes it, and its retention is theirs.
//
// The address of a delivery's page cannot be guessed. The page names the source of its status: the plan, the positions or the driver. The
// list of deliveries is for the staff.
package customers
