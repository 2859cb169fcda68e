package broker

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"

	"github.com/rio-streams/rio/internal/dirlock"
)

// dirLock keeps a second broker out of a data directory. The lock file holds a note for people and for the next start:
//
//	pid 4711
//	address 127.0.0.1:9092
type dirLock struct {
	*dirlock.Lock
	dir string
}

// lockDir locks the directory, creating it if it is missing.
func lockDir(dir string) (*dirLock, error) {
	if err := usableDir(dir); err != nil {
		return nil, err
	}
	lock, err := dirlock.Take(dir)
	var held *dirlock.HeldError
	switch {
	case errors.As(err, &held):
		return nil, fmt.Errorf("broker: data directory %s %w", dir, inUse(parseNote(held.Note)))
	case err != nil:
		return nil, unusable(dir, err)
	}
	return &dirLock{lock, dir}, nil
}

// inUse returns an error that names the holder of the lock, as far as the note says.
func inUse(note map[string]string) error {
	pid, address := note["pid"], note["address"]
	switch {
	case pid == "":
		return errors.New("is in use by another broker; stop it, or choose another directory")
	case pid == strconv.Itoa(os.Getpid()):
		return fmt.Errorf("is in use by another broker of this process (at %s); close it first, or choose another directory", address)
	default:
		return fmt.Errorf("is in use by the broker of process %s (at %s); stop that process, connect to it instead, or choose another directory", pid, address)
	}
}

// lastPort returns the port of the last run, or otherwise if there was none.
func (l *dirLock) lastPort(otherwise string) string {
	if _, port, err := net.SplitHostPort(parseNote(l.Note())["address"]); err == nil {
		return port
	}
	return otherwise
}

// write writes the process id and the address to the lock file. A nil lock, of a broker in memory, writes nothing.
func (l *dirLock) write(address string) error {
	if l == nil {
		return nil
	}
	if err := l.Write(fmt.Sprintf("pid %d\naddress %s\n", os.Getpid(), address)); err != nil {
		return unusable(l.dir, err)
	}
	return nil
}

// release unlocks the directory.
func (l *dirLock) release() error {
	if l == nil {
		return nil
	}
	return l.Release()
}

func parseNote(note string) map[string]string {
	fields := map[string]string{}
	for line := range strings.Lines(note) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			fields[name] = value
		}
	}
	return fields
}
