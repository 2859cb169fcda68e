// Package processor is the API of custom steps: what a handler gets, and what it can do.
//
// Most topologies need only the operators of package topology. A custom step is for the rest: several stores at once,
// timers, headers, delayed output. It is a function that is called once per task with a Context and returns a Handler.
// It keeps its state in stores, never in variables, because a variable does not survive a restart.
//
//	var lastSeen = state.NewKeyValue("ultima-posicao", codec.String, codec.JSON[Position]())
//
//	func onlyNew(c *processor.Context[string, Position]) processor.Handler[string, Position] {
//		last := lastSeen.In(c)
//		return func(r processor.Record[string, Position]) error {
//			before, seen, err := last.Get(r.Key)
//			if err != nil || seen && !r.Value.After(before) {
//				return err
//			}
//			if err := last.Put(r.Key, r.Value, r.Timestamp); err != nil {
//				return err
//			}
//			return c.Emit(r.Key, r.Value)
//		}
//	}
//
//	fresh := topology.Process(positions, "so-novas", onlyNew, lastSeen)
//
// A handler and its timers run in the goroutine of their task, one call at a time. They may use the context, the stores
// and the record only during the call.
//
// The package runs nothing: tasks do (internal/task), and runner runs the tasks.
package processor
