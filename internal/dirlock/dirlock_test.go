package dirlock_test

import (
	"errors"
	"testing"

	"github.com/rio-streams/rio/internal/dirlock"
)

func TestOneHolderAtATime(t *testing.T) {
	dir := t.TempDir()
	first, err := dirlock.Take(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Write("the first"); err != nil {
		t.Fatal(err)
	}
	_, err = dirlock.Take(dir)
	var held *dirlock.HeldError
	if !errors.As(err, &held) || held.Note != "the first" || held.Dir != dir {
		t.Fatalf("a second holder gets %v", err)
	}
	if err := first.Release(); err != nil {
		t.Fatal(err)
	}
	next, err := dirlock.Take(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer next.Release()
	if next.Note() != "the first" {
		t.Errorf("the next holder reads %q", next.Note())
	}
}
