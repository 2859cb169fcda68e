package crashtest

import "testing"

// long skips a test that takes more than a second if -short is set.
func long(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("takes more than a second")
	}
}
