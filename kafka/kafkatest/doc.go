// Package kafkatest is the suite that every broker passes: what Rio relies on, said as tests of package kafka against a
// broker that the caller brings.
//
// The main idea: the embedded broker and Apache Kafka run the same tests, so that a program that works on the one works on
// the other. The test file of a broker is one call:
//
//	func TestBroker(t *testing.T) {
//		kafkatest.Run(t, func(t *testing.T) kafka.Config {
//			return kafka.Config{Brokers: []string{start(t).Addr()}}
//		})
//	}
//
// Each theme is a file and a group of subtests. What package kafka cannot say, or would say again by itself, is said in the
// protocol's own words: raw.go is a connection that does nothing for the test, rawbatch.go and its neighbours are its verbs.
// These themes are for a broker that is alone.
//
// Topics, groups and transactional ids have names that no other run uses, so the broker may be one that lives longer, and
// the tests leave alone what is not theirs.
//
// To run the suite on a real Apache Kafka: scripts/kafka run 0 go test ./kafka/kafkatest
//
// RunAssignor is such a suite for assignors, and needs no broker. Proxy makes any broker forget its transactional producers.
//
// What the package does not do: kill brokers, or fill disks. That takes a broker in a process of its own.
package kafkatest
