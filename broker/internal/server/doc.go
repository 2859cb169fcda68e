// Package server is the network side of the broker: connections, frames, login. What a request means is said in package
// engine.
//
// Each connection has a goroutine that reads requests and one that writes responses, in the order of the requests. Requests
// are handed to the engine as they come in, so a producer may have several under way; a fetch that waits holds up those
// behind it, as in Kafka.
//
// Everything that a stranger can make grow has a bound: connections, the size of a frame, the lists in a request to produce,
// the bytes of the requests that are under way, on a connection and together, the answers to fetches that are in memory, and
// the time that a slow reader or writer has.
//
// Frames of requests to produce, and what a fetch has read, lie in memory that is used again (package buffer): a frame is given
// back when its request is answered, the records of a fetch when they are sent.
package server
