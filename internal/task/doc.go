// Package task runs one task: a sub-topology on one partition.
//
// A task is a function of its inputs. Records, ticks and positions go in; records, state changes and offsets come out.
// It has no goroutine, no clock and no socket, and every call returns when its work is done, so the same task runs in
// the runner, in topologytest and in the simulation, and the same input gives the same output in all three.
//
// The owner, a single goroutine, uses a task like this:
//
//	t, err := task.New(config)           // its stores were restored before: internal/replica
//	t.Load(topic, records, next)         // the rows of source tables
//	for _, topic := range t.Topics() { … t.Seek(topic, offset) … }
//	for {
//		t.Add(topic, records, next, atEnd)   // fetched records
//		n, err := t.Step(1000, yield)        // process in timestamp order; results go to Config.Output
//		t.Tick(now)                          // wall-clock timers
//
//		for t.Calling() { … t.Settle() … }   // calls to the outside end before a commit
//		err = t.Flush()                      // a commit: changelog records go to Config.Output,
//		offsets := t.Offsets()               // offsets into the same transaction,
//		err = t.Committed(lastOffset)        // and after it, the state into the database
//	}
//	t.Close()
//
// Calls in another order return an error; see phase. Step calls yield after each record, so that an owner with a clock
// can limit its time.
//
// If a commit fails, or its outcome is unknown, the owner closes the task and makes a new one from the committed
// offsets. No other recovery is needed, because the database holds committed state only.
package task
