package processor

import "context"

type callID struct{}

// CallID returns the id of a call that a topology.MapAsync makes. It is the same when the call is repeated, after a failure
// or a crash, so it serves as an idempotency key:
//
//	<application>/<topic>/<partition>/<offset>/<step>
//
// The position is that of the record from which the call is made. It is followed by "#1" and so on if several calls are made
// from one record. CallID returns "" if ctx is not that of such a call.
func CallID(ctx context.Context) string {
	id, _ := ctx.Value(callID{}).(string)
	return id
}

// WithCallID returns a context with an id, for tests of functions that use CallID.
func WithCallID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, callID{}, id)
}
