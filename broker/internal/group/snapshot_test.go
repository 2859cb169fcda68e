package group_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rio-streams/rio/broker/internal/group"
)

// aSnapshot is the snapshot of a stable group with a dynamic and a static member, one of which supports two protocols.
// The bytes of the requests are overwritten after use, so the group must have copied them.
func aSnapshot() []byte {
	g := group.New("g", group.Config{}, func(clientID string) string { return clientID + "-1" })
	var generation int32
	join := func(name, memberID, instance string, protocols ...string) {
		r := group.JoinRequest{
			MemberID: memberID, InstanceID: instance, ClientID: name, ClientHost: "/127.0.0.1",
			SessionTimeout: 10 * time.Second, RebalanceTimeout: time.Minute, ProtocolType: "consumer",
		}
		for _, p := range protocols {
			r.Protocols = append(r.Protocols, group.Protocol{Name: p, Metadata: []byte("of " + p)})
		}
		g.Join(start, r, func(r group.JoinReply) { generation = r.Generation })
		for _, p := range r.Protocols {
			clear(p.Metadata)
		}
		clear(r.Protocols)
	}
	join("ana", "", "", "range", "sticky")
	join("bea", "", "b", "range")
	join("ana", "ana-1", "", "range", "sticky")
	assignments := map[string][]byte{"ana-1": []byte("p0"), "b-1": []byte("p1")}
	g.Sync(start, group.SyncRequest{MemberID: "ana-1", Generation: generation, Assignments: assignments}, func(group.SyncReply) {})
	for _, a := range assignments {
		clear(a)
	}
	return g.Snapshot().Append(nil)
}

// TestSnapshotFormat: later versions must be able to read this format.
func TestSnapshotFormat(t *testing.T) {
	want := "\x01" + "\x02" + "\x00" + "\x08consumer" + "\x05range" + "\x05ana-1" + "\x02" +
		"\x05ana-1" + "\x00" + "\x03ana" + "\x0a/127.0.0.1" + "\x90\x4e" + "\xe0\xd4\x03" + "\x02p0" + "\x02" + "\x05range\x08of range" + "\x06sticky\x09of sticky" +
		"\x03b-1" + "\x01b" + "\x03bea" + "\x0a/127.0.0.1" + "\x90\x4e" + "\xe0\xd4\x03" + "\x02p1" + "\x01" + "\x05range\x08of range"
	if diff := cmp.Diff(want, string(aSnapshot())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestDamagedSnapshot truncates a snapshot and changes each of its bytes. Every snapshot that can still be read gives a
// working group.
func TestDamagedSnapshot(t *testing.T) {
	whole := aSnapshot()
	for i := range whole {
		if _, err := group.ParseSnapshot(whole[:i]); err == nil {
			t.Errorf("%d of %d bytes are read as a snapshot", i, len(whole))
		}
		for _, b := range []byte{0, 1, 0x7f, 0xff} {
			damaged := bytes.Clone(whole)
			damaged[i] = b
			tryRestore(t, damaged)
		}
	}
	if _, err := group.ParseSnapshot(append(whole, 0)); err == nil {
		t.Error("a snapshot with an additional byte is read")
	}
}

// TestImpossibleSnapshot: snapshots that are well-formed, but that no group could have written, are rejected.
func TestImpossibleSnapshot(t *testing.T) {
	whole := string(aSnapshot())
	for what, damage := range map[string]struct{ is, becomes string }{
		"another version":                       {"\x01\x02\x00", "\x02\x02\x00"},
		"a generation beyond 31 bits":           {"\x01\x02\x00", "\x01\x80\x80\x80\x80\x08\x00"},
		"members in an empty group":             {"\x01\x02\x00", "\x01\x02\x05"},
		"no protocol type":                      {"\x08consumer", "\x00"},
		"a leader that is not a member":         {"range\x05ana-1", "range\x05ana-2"},
		"two members of one id":                 {"\x03b-1\x01b", "\x05ana-1\x01b"},
		"a member without an id":                {"\x03b-1\x01b", "\x00\x01b"},
		"two members of one instance":           {"\x05ana-1\x00", "\x05ana-1\x01b"},
		"no session timeout":                    {"\x90\x4e\xe0\xd4\x03", "\x00\xe0\xd4\x03"},
		"no rebalance timeout":                  {"\x90\x4e\xe0\xd4\x03", "\x90\x4e\x00"},
		"a member without the others' protocol": {"\x01\x05range\x08of range", "\x01\x05other\x08of range"},
	} {
		damaged := strings.Replace(whole, damage.is, damage.becomes, 1)
		if damaged == whole {
			t.Fatalf("%s: %q does not occur", what, damage.is)
		}
		if _, err := group.ParseSnapshot([]byte(damaged)); err == nil {
			t.Errorf("%s: the snapshot is read", what)
		}
	}
}

func FuzzParseSnapshot(f *testing.F) {
	f.Add([]byte{})
	f.Add(aSnapshot())
	f.Add(group.New("g", group.Config{}, nil).Snapshot().Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) { tryRestore(t, b) })
}

// tryRestore reads bytes as a snapshot. If that succeeds, the group must become empty by itself, like any other.
func tryRestore(t *testing.T, b []byte) {
	s, err := group.ParseSnapshot(b)
	if err != nil {
		return
	}
	again, err := group.ParseSnapshot(s.Append(nil))
	if err != nil || !bytes.Equal(again.Append(nil), s.Append(nil)) {
		t.Fatalf("written differently than read: %x, %v", b, err)
	}
	g := group.Restore("g", group.Config{MaxSize: 1}, nil, s, start)
	g.Subscribed("topic")
	if g.Describe().State != g.State() {
		t.Fatal("the description has another state")
	}
	if g.Tick(start.AddDate(1000, 0, 0)); g.State() != group.Empty {
		t.Fatalf("the group is not empty after a long time: %+v", g.Describe())
	}
}
