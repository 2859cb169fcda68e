// Package topology declares what an application does with its streams: read topics, transform, keep state, write topics.
//
// A topology is made of four nouns. A Topic is a name and two codecs. A Builder collects what one application
// declares. A Stream is a sequence of records, each an event of its own; a Table is the latest value of each key.
// Methods are operators that keep a stream's types; functions are those that change them. Operators take plain
// functions of values, so that a method of a domain type is the argument and the topology reads like a paragraph:
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
// Build checks the whole and reports all mistakes at once, each with the line that made it. The result prints itself
// (Topology.String), is drawn (Mermaid, DOT), run (package runner) and tested on simulated time (package topologytest).
//
// A method is a step, named by a verb (Filter, Merge), or a setting of the step that made the stream or table (Encoded,
// TopicConfig, Retention). Settings return the same stream or table, in any order, and Build refuses one that means
// nothing where it stands. Functions see values; Records makes the whole record the value, with key, time and headers.
//
// What outlives the process has a name, and the user chose it: the application, stores, and the topics behind KeyBy.
// Nothing durable is named by its position, so adding a Filter never moves state. Only KeyBy moves data between
// partitions; operators that keep state by a key refuse a stream whose key was changed on the way.
//
// Functions given to operators run in the goroutine of a task, one call at a time in each task, and several tasks run
// the same function at once. They must not keep what they are given, and must not change it: values are shared with
// stores and with other branches. They must depend on nothing but their arguments, or a replay gives other results.
//
// The package runs nothing and knows no network.
package topology
