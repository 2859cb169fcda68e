// Package sasl is the server's side of a login: a client proves that it knows the password of a name.
//
// A login is an exchange of messages, and one method takes each message of the client and gives the answer:
//
//	users, err := sasl.NewUsers(map[string]string{"ana": "segredo"})
//	exchange, err := users.Begin("SCRAM-SHA-256")
//	answer, done, err := exchange.Step(message) // until done, or an error
//	exchange.User()                             // "ana"
//
// Three mechanisms are spoken. PLAIN (RFC 4616) sends the password itself, so it belongs on an encrypted connection or on
// loopback. SCRAM-SHA-256 and SCRAM-SHA-512 (RFC 5802, RFC 7677) send only proofs, and the server proves that it knows the
// password, too. Names and passwords are compared byte by byte, as Kafka does, without SASLprep.
//
// A stranger learns nothing about which names exist: an unknown name is given a salt of its own, always the same, and goes
// the same way as a wrong password, to the same error.
//
// Users may be shared by goroutines. An Exchange belongs to the one connection that logs in.
//
// The package opens no socket, limits no number of attempts, and knows neither channel binding nor delegation tokens.
package sasl
