package server

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/rio-streams/rio/broker/internal/engine"
)

func TestTagsOfTheHeaderArePassed(t *testing.T) {
	tags := []byte{2, 5, 3, 'a', 'b', 'c', 200, 1, 0} // tag 5 with three bytes, tag 200 with none
	header := append([]byte{0, 2, 'm', 'e'}, tags...)
	id, body, err := clientID(append(header, "body"...), true)
	if err != nil || id != "me" || string(body) != "body" {
		t.Errorf("client %q, body %q, %v", id, body, err)
	}
	if id, body, err := clientID([]byte{0xff, 0xff, 'x'}, false); err != nil || id != "" || string(body) != "x" {
		t.Errorf("without a name: client %q, body %q, %v", id, body, err)
	}
	for _, cut := range [][]byte{nil, {0}, {0, 5, 'a'}, append([]byte{0, 0}, 0x80), append([]byte{0, 0}, 1, 5, 9, 'x')} {
		if id, body, err := clientID(cut, true); err == nil {
			t.Errorf("% x is read as client %q, body %q", cut, id, body)
		}
	}
}

// Arbitrary bytes are rejected or decoded, without a panic. A decoded request has a supported kind and version.
func FuzzDecode(f *testing.F) {
	format := kmsg.NewRequestFormatter(kmsg.FormatterClientID("fuzz"))
	for _, version := range []int16{0, 1, 4, 9, 12} {
		for _, r := range []kmsg.Request{kmsg.NewPtrMetadataRequest(), kmsg.NewPtrFetchRequest(), kmsg.NewPtrProduceRequest(), kmsg.NewPtrJoinGroupRequest()} {
			r.SetVersion(min(version, r.MaxVersion()))
			f.Add(format.AppendRequest(nil, r, 7)[4:])
		}
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		if len(frame) < headerSize {
			return // frame must reject it
		}
		var a answer
		req, err := new(conn).decode(frame, &a)
		if err != nil {
			return
		}
		if !engine.Supports(req.Key(), req.GetVersion()) && req.Key() != int16(kmsg.ApiVersions) {
			t.Errorf("request %d in version %d is accepted", req.Key(), req.GetVersion())
		}
		if want := int32(binary.BigEndian.Uint32(frame[4:])); a.correlation != want {
			t.Errorf("correlation id %d, want %d", a.correlation, want)
		}
	})
}

// kmsg before 1.15.1 tried to read as many tags as a request claims, even without any bytes: 40 s for a frame of 20
// bytes.
func TestClaimedTagsTakeNoTime(t *testing.T) {
	frame := []byte{0, byte(kmsg.ApiVersions), 0, 3, 0, 0, 0, 7, 0xff, 0xff, 0, 2, 'a', 2, '1', 0xff, 0xff, 0xff, 0xff, 0x0f}
	start := time.Now()
	if _, err := new(conn).decode(frame, new(answer)); err == nil {
		t.Error("a request that claims 4294967295 tags is read")
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
}

// Before a login, nothing else is accepted.
func TestStateOfTheLogin(t *testing.T) {
	var nobody login
	if !nobody.done() {
		t.Error("without users, clients are not logged in")
	}
	if res := nobody.handshake(kmsg.NewPtrSASLHandshakeRequest()).(*kmsg.SASLHandshakeResponse); res.ErrorCode == 0 {
		t.Error("a handshake is accepted although there are no users")
	}
}
