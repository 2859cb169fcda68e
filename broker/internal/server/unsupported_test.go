package server

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestUnknownRequestsAreWarnedOfOnceInAnInterval(t *testing.T) {
	var u unsupported
	now := time.Unix(0, 0)
	one, other := request{int16(kmsg.ListOffsets), 99}, request{int16(kmsg.ListOffsets), 98}
	for _, step := range []struct {
		request
		after time.Duration
		due   bool
	}{
		{one, 0, true},
		{one, time.Second, false},
		{other, time.Second, true},
		{one, warnInterval, true},
		{one, 2*warnInterval - 1, false},
	} {
		if got := u.due(step.request, now.Add(step.after)); got != step.due {
			t.Errorf("%s v%d after %v: due %t, want %t", step.name(), step.version, step.after, got, step.due)
		}
	}
	for i := range int16(2 * maxWarned) {
		u.due(request{i, 0}, now)
	}
	if n := len(u.warned); n > maxWarned {
		t.Errorf("%d requests remembered, want at most %d", n, maxWarned)
	}
}

func TestUnknownRequestsAreNamed(t *testing.T) {
	for _, test := range []struct {
		request
		name, known string
	}{
		{request{int16(kmsg.SASLHandshake), 9}, "SASLHandshake", "0 to 1"},
		{request{int16(kmsg.ConsumerGroupHeartbeat), 1}, "ConsumerGroupHeartbeat", "none"},
		{request{12345, 0}, "request 12345", "none"},
	} {
		if name, known := test.request.name(), test.request.versions(); name != test.name || known != test.known {
			t.Errorf("%d: %q, known %q; want %q, %q", test.key, name, known, test.name, test.known)
		}
	}
}
