// Package topology declares what an application does with its streams: read topics, transform, keep state, write
// topics.
//
// A topology uses four types. A Topic is a name and two codecs. A Builder collects the declarations of one application.
// A Stream is a sequence of records, each an independent event; a Table is the latest value of each key. Methods are
// operators that keep a stream's types; functions are those that change them, and those that keep state, such as Reorder:
// the compiler compiles methods for every type, used or not. Operators take plain functions of values, so that a method of
// a domain type can be the argument and the topology reads like a paragraph:
//
//	var (
//		Lines  = topology.NewTopic("lines", codec.String, codec.String)
//		Counts = topology.NewTopic("counts", codec.String, codec.Int64)
//	)
//
//	b := topology.NewBuilder("word-count")
//	lines := topology.From(b, Lines)
//	words := topology.FlatMap(lines, strings.Fields)
//	byWord := topology.KeyBy(words, "by-word", itself)
//	counts := topology.Count(byWord, "counts")
//	counts.To(Counts)
//	t, err := b.Build()
//
// Build checks the whole and reports all mistakes at once, each with the line that caused it. The result can be printed
// (Topology.String), drawn (Mermaid, DOT), run (package runner) and tested on simulated time (package topologytest).
//
// A method is a step, named by a verb (Filter, Merge), or a setting of the step that made the stream or table (Encoded,
// TopicConfig, Retention). Settings return the same stream or table, and may be called in any order; Build rejects one
// that has no effect where it is used. Functions see values; Records makes the whole record the value, with key,
// timestamp and headers.
//
// Everything durable has a name that the user chose: the application, stores, and the topics of KeyBy. Nothing durable
// is named by its position, so adding a Filter never moves state. Only KeyBy, Repartition and the functions of tables
// that end in By move data between partitions; operators that keep state by key reject a stream whose key was changed by
// an earlier step.
//
// Functions given to operators run in the goroutine of a task, one call at a time in each task, and several tasks run
// the same function at once. They must neither keep nor modify their arguments: values are shared with stores and with
// other branches. Their results must depend on nothing but their arguments, or else a replay gives other results.
//
// The package runs nothing and uses no network.
package topology
