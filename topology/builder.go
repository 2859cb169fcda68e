package topology

import (
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/state"
)

// Builder collects the declarations of one application. Use it in one goroutine, once. Mistakes do not stop it: Build
// reports all of them.
type Builder struct {
	application string
	nodes       []*plan.Node
	topics      map[string]*plan.Topic
	sources     map[string]any // topic name → the *Stream or *Table that reads it
	stores      map[string]*plan.Store
	storeAt     map[string]string
	timed       map[*plan.Node]bool // nodes with a clock of their own
	globals     map[*plan.Node]*plan.Global
	holds       map[*plan.Node]time.Duration // by the node of a Reorder
	copartition map[*plan.Node]bool          // nodes whose sources must have the same number of partitions
	encodings   map[reflect.Type]any         // from EncodeAs: reflect.TypeFor[T]() → codec.Codec[T]
	unfinished  []unfinished                 // work that Build does first, when all settings are known
	mistakes    []mistake
	place       int // position among the declarations, to sort mistakes by
	built       bool
}

// unfinished is the rest of a declaration, and mistake an error in one; place sorts them.
type unfinished struct {
	place  int
	finish func()
}

type mistake struct {
	place int
	err   error
}

// NewBuilder starts the topology of an application. The application's name is that of its consumer group and the prefix
// of its internal topics; changing it later loses both.
func NewBuilder(application string) *Builder {
	b := &Builder{
		application: application,
		topics:      map[string]*plan.Topic{},
		sources:     map[string]any{},
		stores:      map[string]*plan.Store{},
		storeAt:     map[string]string{},
		copartition: map[*plan.Node]bool{},
		timed:       map[*plan.Node]bool{},
		globals:     map[*plan.Node]*plan.Global{},
		holds:       map[*plan.Node]time.Duration{},
		encodings:   map[reflect.Type]any{},
	}
	b.checkName(callSite(), "application", application)
	return b
}

// Build checks the declarations and returns the topology, or all mistakes at once, each with the line that caused it.
func (b *Builder) Build() (*Topology, error) {
	if b.built {
		return nil, errors.New("topology: Build was called before: a builder makes only one topology")
	}
	b.built = true
	end := b.place + 1
	for _, u := range b.unfinished {
		b.place = u.place
		u.finish()
	}
	b.place = end
	if !slices.ContainsFunc(b.nodes, func(n *plan.Node) bool { return n.Reads != nil && n.Kind != globalTable }) {
		b.note(errors.New("nothing is read: start with topology.From or topology.TableFrom"))
	}
	p := b.compile()
	if err := b.allMistakes(); err != nil {
		return nil, fmt.Errorf("topology %q cannot be built:\n%w", b.application, err)
	}
	return &Topology{plan: p}, nil
}

// add appends a node and records the line that declared it.
func (b *Builder) add(kind, name string, inputs ...plan.Input) *plan.Node {
	n := &plan.Node{ID: len(b.nodes), Kind: kind, Name: name, Where: callSite(), Inputs: inputs}
	b.nodes = append(b.nodes, n)
	b.place = len(b.nodes)
	return n
}

// deferStep defers the rest of a declaration until all settings are known. Deferred steps run in the order of the
// declarations.
func (b *Builder) deferStep(f func()) { b.unfinished = append(b.unfinished, unfinished{b.place, f}) }

// needs reports a mistake if a function argument of n is nil.
func (b *Builder) needs(n *plan.Node, given bool) {
	if !given {
		b.mistake(n.Where, "%s has a nil function: it would fail at the first record", n.Label())
	}
}

// mistake reports a mistake at a line.
func (b *Builder) mistake(where, format string, args ...any) {
	b.note(fmt.Errorf("%s: %s", where, fmt.Sprintf(format, args...)))
}

// note adds a mistake, unless it was added before.
func (b *Builder) note(err error) {
	if !slices.ContainsFunc(b.mistakes, func(m mistake) bool { return m.err.Error() == err.Error() }) {
		b.mistakes = append(b.mistakes, mistake{b.place, err})
	}
}

// allMistakes returns the mistakes in the order of the declarations.
func (b *Builder) allMistakes() error {
	slices.SortStableFunc(b.mistakes, func(a, b mistake) int { return a.place - b.place })
	errs := make([]error, len(b.mistakes))
	for i, m := range b.mistakes {
		errs[i] = m.err
	}
	return errors.Join(errs...)
}

// legalName is what Kafka allows as a topic name; application, store and KeyBy names become parts of such names.
var legalName = regexp.MustCompile(`^[a-zA-Z0-9._-]{1,249}$`)

// names returns the names of the application's topics.
func (b *Builder) names() plan.Names { return plan.Names{Application: b.application} }

func (b *Builder) checkName(where, what, name string) bool {
	switch {
	case name == "":
		b.mistake(where, "the %s has no name: it needs one, because its state outlives the process", what)
	case name == "." || name == ".." || !legalName.MatchString(name):
		b.mistake(where, "%s name %q: Kafka allows 1 to 249 ASCII letters, digits, '.', '_' and '-'", what, name)
	default:
		return true
	}
	return false
}

// checkLength reports a mistake if the name of an internal topic would be longer than Kafka allows.
func (b *Builder) checkLength(where, topic string) {
	if len(topic) > 249 {
		b.mistake(where, "the internal topic %s would have a name of %d characters: Kafka allows 249; shorten the application's name or this one", topic, len(topic))
	}
}

// attach attaches a store to a node. A name stands for one store in an application; steps share it by attaching the
// same definition. source is the topic of a source table, empty for other stores.
func (b *Builder) attach(n *plan.Node, def state.Definition, source string) *plan.Store {
	if !b.checkName(n.Where, "store", def.Name()) {
		return nil
	}
	if source == "" {
		b.checkLength(n.Where, b.names().Changelog(def.Name()))
	}
	store, ok := b.stores[def.Name()]
	if ok && store.Definition != def {
		b.mistake(n.Where, "store %q is declared twice, here and at %s: give one of them another name", def.Name(), b.storeAt[def.Name()])
		return nil
	}
	if !ok {
		store = &plan.Store{Definition: def, Source: source}
		if versioned, ok := def.(interface{ History() time.Duration }); ok {
			store.History = versioned.History()
		}
		b.stores[def.Name()], b.storeAt[def.Name()] = store, n.Where
	}
	b.addStore(n, store)
	return store
}

// addStore adds a store to those of n.
func (b *Builder) addStore(n *plan.Node, store *plan.Store) {
	if !slices.Contains(n.Stores, store) {
		n.Stores = append(n.Stores, store)
	}
	b.copartition[n] = true
}

// use adds a topic, and checks that all its uses agree on its contents.
func use[K, V any](b *Builder, n *plan.Node, t Topic[K, V]) *plan.Topic {
	if t.key == nil || t.value == nil {
		b.checkName(n.Where, "topic", t.name)
		b.mistake(n.Where, "topic %q has no codec for its keys or its values: declare it with topology.NewTopic", t.name)
		return &plan.Topic{Name: t.name}
	}
	topic := describe(t)
	windows, err := codec.WindowedKeysOf(t.key)
	if err != nil {
		b.mistake(n.Where, "topic %q: %v", t.name, err)
	}
	if windows != nil {
		topic.PlainKey = windows.PlainKey
	}
	return b.useTopic(n, topic)
}

func (b *Builder) useTopic(n *plan.Node, topic *plan.Topic) *plan.Topic {
	b.checkName(n.Where, "topic", topic.Name)
	if topic.Partitions < 0 {
		b.mistake(n.Where, "topic %q wants %d partitions: at least 1", topic.Name, topic.Partitions)
	}
	if n.Kind == "table" || n.Kind == "source" || n.Kind == globalTable {
		b.checkStart(n, topic.Name, topic.Start)
	}
	before := b.addTopic(n, topic)
	if before == topic {
		return topic
	}
	if before.Key != topic.Key || before.Value != topic.Value {
		b.mistake(n.Where, "topic %q holds %s → %s elsewhere in this topology, and %s → %s here: a topic has one codec for its keys and one for its values",
			topic.Name, before.Key, before.Value, topic.Key, topic.Value)
	}
	if topic.Partitions != 0 {
		if before.Partitions != 0 && before.Partitions != topic.Partitions {
			b.mistake(n.Where, "topic %q wants %d partitions elsewhere in this topology, and %d here", topic.Name, before.Partitions, topic.Partitions)
		}
		before.Partitions = topic.Partitions
	}
	if topic.Start != (plan.Start{}) {
		if before.Start != (plan.Start{}) && before.Start != topic.Start {
			b.mistake(n.Where, "topic %q has another StartAt elsewhere in this topology", topic.Name)
		}
		before.Start = topic.Start
	}
	return before
}

// addTopic adds a topic that n uses, or returns the one that was added before under its name.
func (b *Builder) addTopic(n *plan.Node, topic *plan.Topic) *plan.Topic {
	before, ok := b.topics[topic.Name]
	switch {
	case !ok:
		b.topics[topic.Name] = topic
		return topic
	case before.Internal != topic.Internal:
		b.mistake(n.Where, "the topic %q has the same name as the topic of a KeyBy: rename the KeyBy", topic.Name)
		return topic
	case topic.Internal: // the KeyBy reports that the name is taken
		return topic
	}
	return before
}

func describe[K, V any](t Topic[K, V]) *plan.Topic {
	o := t.options.get()
	return &plan.Topic{
		Name:       t.name,
		Internal:   o.internal,
		Partitions: o.partitions,
		Start:      o.start,
		Key:        t.key.String(),
		Value:      t.value.String(),

		Text: plan.Text{
			FormatKey: format(t.key), FormatValue: format(t.value),
			ParseKey: parse(t.key), ParseValue: parse(t.value),
		},
	}
}

// callSite returns file:line of the caller outside of this package.
func callSite() string {
	var pcs [16]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	for {
		frame, more := frames.Next()
		if !strings.HasPrefix(frame.Function, packagePath+".") || strings.HasSuffix(frame.File, "_test.go") {
			return fmt.Sprintf("%s:%d", filepath.Base(frame.File), frame.Line)
		}
		if !more {
			return "?"
		}
	}
}

const packagePath = "github.com/rio-streams/rio/topology"
