package state

import "errors"

// Error is a failure of a task's database, not of the record that met it: a policy that skips bad records must not
// skip it.
type Error struct {
	Store string
	Err   error
}

// Error returns the message of the failure.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns what failed.
func (e *Error) Unwrap() error { return e.Err }

// ErrDamaged is in the errors about a database that holds something else than what was written to it. The changelog has what it
// held: put it away, and restore.
var ErrDamaged = errors.New("the database is damaged")
