package topology_test

import (
	"time"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/topology"
)

func ExampleFinal() {
	minutes := topology.Tumbling(time.Minute).Grace(10 * time.Second)
	perMinute := topology.NewTopic("per-minute", topology.WindowCodec(minutes, codec.String), codec.Int64)

	b := topology.NewBuilder("visits")
	counts := topology.Count(topology.Window(topology.From(b, lines), minutes), "counts")
	topology.Final(counts).To(perMinute)

	e := start(b)
	send(e, lines, at(0, "ana", "/"), at(65, "bia", "/"), at(50, "ana", "/late"), at(70, "ana", "/"))
	show(e, perMinute)
	// Output:
	// per-minute ana@1970-01-01T00:00:00Z/1m0s = 2
}

func ExampleSuppress() {
	b := topology.NewBuilder("suppressed")
	latest := topology.TableFrom(b, lines)
	rarely := topology.Suppress(latest, "rarely", topology.UntilTimeLimit(time.Minute).MaxRecords(1000).EmitEarlyWhenFull())
	rarely.To(lineCopies)

	e := start(b)
	send(e, lines, at(0, "ana", "a"), at(20, "ana", "b"), at(40, "ana", "c"), at(60, "bia", "d"))
	show(e, lineCopies)
	// Output:
	// copies ana = c
}

func ExampleUntilWindowCloses() {
	days := topology.Tumbling(24 * time.Hour).Grace(time.Hour)
	perDay := topology.NewTopic("per-day", topology.WindowCodec(days, codec.String), codec.Int64)

	b := topology.NewBuilder("days")
	counts := topology.Count(topology.Window(topology.From(b, lines), days), "counts")
	topology.Suppress(counts, "open-days", topology.UntilWindowCloses()).To(perDay)

	const hour = 3600
	e := start(b)
	send(e, lines, at(1*hour, "ana", "/"), at(24*hour, "bia", "/"), at(23*hour, "ana", "/late"), at(25*hour, "bia", "/"))
	show(e, perDay)
	// Output:
	// per-day ana@1970-01-01T00:00:00Z/24h0m0s = 2
}

var lineCopies = topology.NewTopic("copies", codec.String, codec.String)

func ExampleStream_LateFor() {
	minutes := topology.Tumbling(time.Minute)
	perMinute := topology.NewTopic("per-minute", topology.WindowCodec(minutes, codec.String), codec.Int64)

	b := topology.NewBuilder("visits")
	visits := topology.From(b, lines)
	perMinutes := topology.Window(visits, minutes)
	topology.Final(topology.Count(perMinutes, "counts")).To(perMinute)
	visits.LateFor(perMinutes).To(lineCopies)

	e := start(b)
	send(e, lines, at(0, "ana", "/"), at(65, "bia", "/"), at(50, "ana", "/late"))
	show(e, perMinute)
	show(e, lineCopies)
	// Output:
	// per-minute ana@1970-01-01T00:00:00Z/1m0s = 1
	// copies ana = /late
}
