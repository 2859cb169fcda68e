// Package sasl is the server side of a login: a client proves that it knows a user's password.
//
// A login is an exchange of messages. One method takes each message of the client and returns the answer:
//
//	users, err := sasl.NewUsers(map[string]string{"ana": "segredo"})
//	exchange, err := users.Begin("SCRAM-SHA-256")
//	answer, done, err := exchange.Step(message) // until done, or an error
//	exchange.User()                             // "ana"
//
// It supports three mechanisms. PLAIN (RFC 4616) sends the password itself, so it needs an encrypted or a loopback
// connection. SCRAM-SHA-256 and SCRAM-SHA-512 (RFC 5802, RFC 7677) only send proofs, and the server also proves that it
// knows the password. Names and passwords are compared byte by byte, as Kafka does, without SASLprep.
//
// The answers do not reveal which users exist: an unknown user gets a stable salt of its own, and fails like a wrong
// password, with the same error.
//
// Users may be shared by goroutines. An Exchange belongs to one connection.
//
// The package opens no socket, does not limit attempts, and supports neither channel binding nor delegation tokens.
package sasl
