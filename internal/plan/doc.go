// Package plan is the compiled form of a topology: nodes, sub-topologies, the topics between them, and the stores.
//
// Package topology builds plans, internal/task runs them, and runner, topologytest and the command line read them. A
// node is an operator with its user functions. For every task, Linker calls Build of each node, which returns the
// node's inputs, typed functions (Stream, Table), and gives it the inputs of its successors. Afterwards records travel
// by plain calls: without boxing, lookups or locks between operators.
//
// Sub-topologies are the connected parts that remain when a plan is cut at its topics. A sub-topology on one partition
// is a task, the unit of work, of state and of failure.
package plan
