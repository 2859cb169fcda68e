package runner

import (
	"errors"
	"fmt"
	"testing"

	"github.com/rio-streams/rio/kafka"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/state"
)

// The label reason of rio_task_waiting and rio_task_restarts_total follows from the error.
func TestKindOfError(t *testing.T) {
	cause := errors.New("cause")
	for err, want := range map[error]string{
		&processor.Error{Stage: processor.Decode, Err: cause}:                          waitHandler,
		fmt.Errorf("task: %w", &processor.Error{Stage: processor.Process, Err: cause}): waitHandler,
		&processor.Error{Stage: processor.Produce, Err: cause}:                         waitCluster,
		&obstacleError{waitLeader, cause}:                                              waitLeader,
		&HungError{}:                                                                   waitHandler,
		fmt.Errorf("commit: %w", kafka.ErrFenced):                                      waitTransaction,
		fmt.Errorf("commit: %w", kafka.ErrUnknownMember):                               waitGroup,
		fmt.Errorf("open: %w", state.ErrDamaged):                                       waitState,
		cause:                                                                          waitCluster,
	} {
		if got := kindOf(err); got != want {
			t.Errorf("%v: %s, want %s", err, got, want)
		}
	}
}
