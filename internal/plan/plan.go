package plan

import (
	"errors"
	"fmt"
	"time"

	"github.com/rio-streams/rio/internal/murmur2"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/state"
)

// Plan is a checked topology, from which the tasks of the application are built. It is immutable and may be shared.
type Plan struct {
	Application   string
	Subtopologies []*Subtopology
	Topics        map[string]*Topic // every topic it reads or writes, by logical name
	Repartitions  []*Topic          // owned by the application, in the order of their declaration
	Copartitioned [][]string        // sets of source topics that must have the same number of partitions
	Globals       []*Global         // in the order of their declaration
}

// Global is a global table: every process of the application has the rows of all partitions of its topic.
type Global struct {
	Source *Node // the node that reads the topic; it belongs to no sub-topology
	Store  *Store
}

// Subtopology is a connected part of a plan, separated from the others by topics. A task runs it on one partition.
type Subtopology struct {
	ID      int
	Nodes   []*Node // in topological order
	Sources []*Node // nodes that read topics, in the order of their declaration
	Stores  []*Store
}

// Topic is a topic of a plan.
type Topic struct {
	// Name is the topic's name in the plan; Names.Topic returns its name in the log.
	Name string

	// Internal topics belong to the application, which creates and resets them.
	Internal bool

	// Written reports whether the topology writes the topic.
	Written bool

	// PerRecord topics stand for the topics that records choose when they are written. They are not in Plan.Topics.
	PerRecord bool

	// Partitions is the number of partitions to create it with; 0 leaves the choice to whoever creates it.
	Partitions int32

	// Start says where to start reading if no offset is committed. Only topics that are read as streams have one.
	Start Start

	// Config holds the topic settings that the user chose, by Kafka's names. They override the application's settings.
	// Only internal topics have any.
	Config map[string]string

	// PlainKey returns the part of a key that determines its partition, without the window: all windows of a key are in
	// the partition of the key, as in Kafka Streams. Nil: all of the key.
	PlainKey func(key []byte) []byte

	// Key and Value are the names of the codecs; Text converts records to readable text and back.
	Key, Value string
	Text       Text
}

// Start is a position in a topic. The zero value leaves the choice to whoever runs the plan.
type Start struct {
	Place StartPlace
	Since time.Time     // of StartSince
	Ago   time.Duration // of StartAgo
}

// StartPlace is the kind of a Start.
type StartPlace int

// The kinds of positions.
const (
	StartDefault StartPlace = iota
	StartEarliest
	StartLatest
	StartSince // the first record with a timestamp not before a time
	StartAgo   // the same, for a time before the start of the application
)

// Text converts a topic's keys and values to readable text and back, for test scripts and consoles.
type Text struct {
	FormatKey, FormatValue func([]byte) string
	ParseKey, ParseValue   func(string) ([]byte, error)
}

// Store is a store of a sub-topology.
type Store struct {
	state.Definition

	// Source is the topic of a source table: the topic is its own changelog. It is empty for other stores, whose
	// changelog is <application>-<name>-changelog.
	Source string

	// History is for how long a versioned store keeps earlier rows; 0 for other stores. Compaction of the changelog must
	// spare records for twice as long.
	History time.Duration

	// Config holds the settings of the changelog topic that the user chose, by Kafka's names. They override the
	// application's settings. A store with a Source has none.
	Config map[string]string

	// TTL is how long rows live; 0 means forever.
	TTL time.Duration
}

// Node is a step. Operators only differ in Build, which returns the step's typed inputs for one task.
type Node struct {
	ID     int
	Kind   string // "filter", "aggregate", …
	Name   string // the name that the user gave it, or empty
	Where  string // file:line of its declaration
	Inputs []Input
	Ports  []string // names of its outputs if it has several; nil for one output
	Stores []*Store

	// Globals are the global tables in which it looks rows up.
	Globals []*Global

	// Clock is the name of the operator's own clock, for example that of a window; empty for other operators.
	Clock string

	// Guard describes how a source gets and checks its event times; empty if it takes those of the records.
	Guard string

	// Chosen says what records choose when the sink writes them, such as "topic and partition"; empty if nothing.
	Chosen string

	// Async describes the calls of a step to the outside; nil for other steps.
	Async *Async

	// OnError is the policy of the step; nil means the application's. For a source it is the policy of the decode
	// stage, for a sink that of the produce stage. Other steps with a policy are borders: see Linker.
	OnError *processor.Policy

	// Reads is the topic of a source, Writes that of a sink.
	Reads, Writes *Topic

	// Queue returns a source's typed queue for one task; it is nil for other nodes.
	Queue func(*Linker) Queue

	// Outputs returns, for each of the Ports of a custom step but the first, the function that its records are passed to. It is
	// nil where nobody reads them.
	Outputs []func(*Linker) any

	// Build returns the node's inputs for one task, each a Stream[K, V] or a Table[K, V] of the input's types; it is
	// nil for sources.
	Build func(*Linker) []any
}

// Input is an edge of the graph: an output of another node that a node reads.
type Input struct {
	From *Node
	Port int // index of the output in From's Ports

	// Lookup means that records do not flow along this edge: From's rows are looked up when a record arrives at another
	// input, and a change of a row causes no output.
	Lookup bool
}

// CheckPolicies reports the steps whose policy is dead-letter although the application names no topic for dead letters.
func (p *Plan) CheckPolicies(policies processor.Policies) error {
	var mistakes []error
	for _, s := range p.Subtopologies {
		for _, n := range s.Nodes {
			if n.OnError != nil && n.OnError.Action == processor.DeadLetter && policies.DeadLetters == "" {
				mistakes = append(mistakes, fmt.Errorf("OnError of %s (%s) is dead-letter, but no dead-letter topic is named: set Policies.DeadLetters", n.Label(), n.Where))
			}
		}
	}
	return errors.Join(mistakes...)
}

// Label describes a step for people: "aggregate speed-5m", "filter".
func (n *Node) Label() string {
	if n.Name == "" {
		return n.Kind
	}
	return n.Kind + " " + n.Name
}

// Partition returns the partition, out of n, of a record with a key, as in the Java clients and Kafka Streams.
func (t *Topic) Partition(key []byte, n int32) int32 {
	if t.PlainKey != nil {
		key = t.PlainKey(key)
	}
	return murmur2.Partition(key, n)
}

// Raw is an encoded record of the log.
type Raw struct {
	Offset    int64
	Timestamp int64  // milliseconds since the Unix epoch
	Key       []byte // nil is null
	Value     []byte // nil is null
	Headers   []processor.Header
}
