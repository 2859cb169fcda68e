// Package topologytest runs a topology on simulated time, without a broker, in a test.
//
// It runs the same tasks as the runner, with several partitions, repartition topics, commits, restarts and crashes;
// only the log is a slice, and the clock advances only on command. So what passes here behaves the same in production.
//
// The usual test is a golden script, a text file that a colleague can read aloud (see Run for its commands):
//
//	# Two sales of one seller fall into the same hour.
//	send vendas
//	1={"vendedor":"ana","valor":10.00,"hora":"2026-01-01T08:50:00Z"}
//	2={"vendedor":"ana","valor":4.00,"hora":"2026-01-01T08:55:00Z"}
//	----
//	vendas-por-hora ana@2026-01-01T08:00:00Z/1h={"vendas":1,"total":10.00}
//	vendas-por-hora ana@2026-01-01T08:00:00Z/1h={"vendas":2,"total":14.00}
//
// and one line of Go:
//
//	topologytest.Run(t, "testdata/vendas", top, topologytest.Config{Partitions: 3})
//
// Tests in Go use a Driver with the typed functions Send and Read.
//
// A driver and everything it runs belong to one goroutine. The package does not measure, and does not test brokers.
package topologytest
