// Package kafkatest is a test suite for brokers. It tests everything that Rio relies on through package kafka, against a
// broker that the caller provides.
//
// The embedded broker and Apache Kafka pass the same tests, so a program that works with one works with the other. The test
// file of a broker is one call:
//
//	func TestBroker(t *testing.T) {
//		kafkatest.Run(t, func(t *testing.T) kafka.Config {
//			return kafka.Config{Brokers: []string{start(t).Addr()}}
//		})
//	}
//
// Each theme has a file and a group of subtests. Some tests need requests that package kafka cannot send or would retry. They
// use the protocol directly: raw.go is a plain connection, and rawbatch.go, rawfetch.go and so on build requests. These tests
// require a cluster of one broker.
//
// The names of topics, groups and transactional ids are unique to a run, so the suite can share a long-lived broker with
// others and does not touch their data.
//
// To run the suite on a real Apache Kafka: scripts/kafka run 0 go test ./kafka/kafkatest
//
// RunAssignor is a suite for assignors; it needs no broker. Proxy makes a broker seem to forget its transactional producers.
//
// The package does not test crashes or full disks, because that needs a broker in a process of its own.
package kafkatest
