package plan

import (
	"errors"
	"fmt"
	"time"

	"github.com/rio-streams/rio/internal/murmur2"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/state"
)

// Plan is a checked topology: what every task of the application is built from. It is immutable and may be shared.
type Plan struct {
	Application   string
	Subtopologies []*Subtopology
	Topics        map[string]*Topic // every topic it reads or writes, by logical name
	Repartitions  []*Topic          // those it owns, in the order of their declaration
	Copartitioned [][]string        // sets of source topics that must agree in their number of partitions
}

// Subtopology is a connected part of a plan; topics separate it from the others. A task runs it on one partition.
type Subtopology struct {
	ID      int
	Nodes   []*Node // in topological order
	Sources []*Node // those that read topics, in the order of their declaration
	Stores  []*Store
}

// Topic is a topic as the plan sees it.
type Topic struct {
	// Name is the topic's name in the plan; Names.Topic returns that in the log.
	Name string

	// Internal topics belong to the application, which creates and resets them.
	Internal bool

	// Written says that the topology writes the topic.
	Written bool

	// Partitions is the number asked for when it is created; 0 leaves it to whoever creates it.
	Partitions int32

	// Start says where reading it begins where nothing is committed. Only topics that are read as streams have one.
	Start Start

	// Config holds the settings of the topic that the user chose, by Kafka's names. Only internal topics have any; they
	// override the application's own choice.
	Config map[string]string

	// PlainKey returns the part of a key that decides its partition, without the window: all windows of a key are in the
	// partition of the key, as Kafka Streams has it. Nil: all of the key.
	PlainKey func(key []byte) []byte

	// Key and Value name the codecs; Text turns records into readable text and back.
	Key, Value string
	Text       Text
}

// Start is a place in a topic. The zero value leaves the choice to whoever runs the plan.
type Start struct {
	Place StartPlace
	Since time.Time     // of StartSince
	Ago   time.Duration // of StartAgo
}

// StartPlace says what kind of place a Start is.
type StartPlace int

// The kinds of places.
const (
	StartDefault StartPlace = iota
	StartEarliest
	StartLatest
	StartSince // the first record with a timestamp not before a time
	StartAgo   // the same, for a time before the application begins
)

// Text is the readable form of a topic's keys and values, for test scripts and consoles.
type Text struct {
	FormatKey, FormatValue func([]byte) string
	ParseKey, ParseValue   func(string) ([]byte, error)
}

// Store is a store of a sub-topology.
type Store struct {
	state.Definition

	// Source is the topic that a source table is kept from: the topic is its own changelog. Empty for other stores,
	// whose changes go to the topic <application>-<name>-changelog.
	Source string

	// Config holds the settings of the changelog topic that the user chose, by Kafka's names. They override the
	// application's own choice. A store with a Source has none.
	Config map[string]string
}

// Node is a step. Operators differ only in Build, which returns the step's typed inputs for one task.
type Node struct {
	ID     int
	Kind   string // "filter", "aggregate", …
	Name   string // what the user called it, or empty
	Where  string // file:line of the call that declared it
	Inputs []Input
	Ports  []string // names of its outputs, for a step that has several; nil for one output
	Stores []*Store

	// Clock names the time of an operator that has its own, such as a window; empty for others.
	Clock string

	// Guard says which records of a source are held back by the wall clock; empty if none are.
	Guard string

	// OnError is the policy that the user gave the step; nil leaves it to the application. Of a source it is that of the
	// decode stage, of a sink that of the produce stage. Other steps that have one are borders: see Linker.
	OnError *processor.Policy

	// Reads is the topic of a source and Writes that of a sink.
	Reads, Writes *Topic

	// Queue makes a source's typed queue for one task; nil for other nodes.
	Queue func(*Linker) Queue

	// Build returns the node's inputs for one task, each a Stream[K, V] or a Table[K, V] of the input's types; nil for sources.
	Build func(*Linker) []any
}

// Input is an edge of the graph: what a node takes from another one.
type Input struct {
	From *Node
	Port int // which of From's outputs: an index into its Ports

	// Lookup says that records do not travel along this edge: From's rows are looked up when a record comes in by
	// another input, and a change of a row makes no output by itself.
	Lookup bool
}

// CheckPolicies reports the steps that want dead letters although the application names no topic for them.
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

// Label names a step for people: "aggregate speed-5m", "filter".
func (n *Node) Label() string {
	if n.Name == "" {
		return n.Kind
	}
	return n.Kind + " " + n.Name
}

// Partition returns which of n partitions a record with a key belongs to, as the Java clients and Kafka Streams place it.
func (t *Topic) Partition(key []byte, n int32) int32 {
	if t.PlainKey != nil {
		key = t.PlainKey(key)
	}
	return murmur2.Partition(key, n)
}

// Raw is a record as it lies in the log.
type Raw struct {
	Offset    int64
	Timestamp int64  // milliseconds since the Unix epoch
	Key       []byte // nil is null
	Value     []byte // nil is null
	Headers   []processor.Header
}
