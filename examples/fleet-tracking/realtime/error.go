package realtime

import (
	"bytes"
	"errors"
	"fmt"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Error is why a feed could not be read.
type Error struct {
	Feed  string        // its name
	Err   error         // what is wrong, and what can be done
	After time.Duration // how long the server asks not to be asked again; 0: it does not say
}

// Error names the feed and says what is wrong.
func (e *Error) Error() string { return fmt.Sprintf("%s: %v", e.Feed, e.Err) }

// Unwrap returns what is wrong.
func (e *Error) Unwrap() error { return e.Err }

func (f *Feed) fail(err error) *Error { return &Error{Feed: f.name, Err: err} }

// unreachable is the error of a request that got no answer, or only a part of it.
func (f *Feed) unreachable(err error) *Error {
	if timeout := net.Error(nil); errors.As(err, &timeout) && timeout.Timeout() {
		return f.fail(fmt.Errorf("the server is too slow: no whole answer within %v", f.client.Timeout))
	}
	if inner := (*url.Error)(nil); errors.As(err, &inner) { // its text has the whole address
		err = inner.Err
	}
	return f.fail(fmt.Errorf("the connection failed: %w", err))
}

// refused is the error of an answer without a message.
func (f *Feed) refused(answer *http.Response, now time.Time) *Error {
	text := fmt.Sprintf("the server answers %d %s", answer.StatusCode, http.StatusText(answer.StatusCode))
	switch answer.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden:
		text += ": does the address need a key?"
	case http.StatusNotFound, http.StatusGone:
		text += ": check the address"
	case http.StatusTooManyRequests:
		text += ": ask it less often"
	}
	err := f.fail(errors.New(text))
	err.After = retryAfter(answer.Header.Get("Retry-After"), now)
	return err
}

// retryAfter reads the header of that name (RFC 9110, section 10.2.3): seconds, or a date.
func retryAfter(text string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}

// notMessage says what an answer is that is no message.
func notMessage(contentType string, body []byte) error {
	kind, _, _ := mime.ParseMediaType(contentType)
	body = bytes.TrimSpace(body)
	what := fmt.Sprintf("%d bytes", len(body))
	switch {
	case len(body) == 0:
		what = "nothing"
	case strings.HasSuffix(kind, "/html") || body[0] == '<':
		what = "a web page"
	case strings.HasSuffix(kind, "/json") || body[0] == '{' || body[0] == '[':
		what = "JSON"
	}
	if kind != "" {
		what += " (" + kind + ")"
	}
	return fmt.Errorf("the server answers with %s instead of a message of GTFS-realtime: is this the address of vehicle positions as protobuf?", what)
}

const (
	longestBackoff = 5 * time.Minute
	longestAfter   = time.Hour // that a server may ask for
)

// Backoff is how long to wait before a server is asked again that is asked in the given interval, after so many failures in a row, the
// last of which was err. It doubles with each failure, up to five minutes, and is at least what the server asks for, up to an hour.
func Backoff(every time.Duration, failures int, err error) time.Duration {
	wait := every
	for range failures - 1 {
		if wait *= 2; wait >= longestBackoff {
			wait = max(every, longestBackoff)
			break
		}
	}
	if failed := (*Error)(nil); errors.As(err, &failed) {
		wait = max(wait, min(failed.After, longestAfter))
	}
	return wait
}
