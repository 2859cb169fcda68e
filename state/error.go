package state

import "errors"

// Error is a failure of a task's database rather than of the current record, so a policy that skips bad records must
// not skip this one.
type Error struct {
	Store string
	Err   error
}

// Error returns the message of the underlying error.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns the underlying error.
func (e *Error) Unwrap() error { return e.Err }

// ErrDamaged means that the database does not hold what was written to it. The changelog does: delete the database and
// restore it.
var ErrDamaged = errors.New("the database is damaged")
