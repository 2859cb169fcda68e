// Package plan is what the DSL compiles to: nodes, sub-topologies, the topics between them, and the stores.
//
// Package topology builds plans, internal/task runs them, and runner, topologytest and the command line read them. A
// node is an operator with its user functions inside; for every task Linker asks each node to Build its inputs, which
// are typed functions (Stream, Table), and hands it those of its successors. After that a record travels by plain
// calls: nothing is boxed, looked up or locked between operators.
//
// Sub-topologies are the connected parts that remain when a plan is cut at its topics. A sub-topology on one partition
// is a task, the unit of work, of state and of failure.
package plan
