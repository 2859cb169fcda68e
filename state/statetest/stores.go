package statetest

import "testing"

// RunStores tests the stores on a DB.
func RunStores(t *testing.T, open Open) {}
