// Package server is the network side of the broker: connections, frames, log-in. What a request means is said in package
// engine.
//
// Each connection has a goroutine that reads requests and one that writes responses, in the order of the requests. Requests
// are handed to the engine as they come in, so a producer may have several under way; a fetch that waits holds up those
// behind it, as in Kafka.
//
// Everything that a stranger can make grow has a bound: connections, the size of a frame, the bytes of all requests together,
// the requests under way on a connection, and the time that a slow reader or writer has.
package server
