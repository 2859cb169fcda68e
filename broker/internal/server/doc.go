// Package server is the network side of the broker: connections, frames, login. Package engine executes the requests.
//
// Each connection has a goroutine that reads requests and one that writes responses, in the order of the requests.
// Requests are passed to the engine as they arrive, so a producer may have several in flight; a waiting fetch delays
// the responses behind it, as in Kafka.
//
// Everything that a client controls has a limit: connections, the size of a frame, the lists in a produce request, the
// bytes of requests in flight (per connection and in total), fetch responses in memory, and the time that a slow reader
// or writer may take.
//
// Frames of produce requests, and the records of fetch responses, lie in reused memory (package buffer): a frame is
// returned when its request has been answered, the records of a fetch when they have been sent.
package server
