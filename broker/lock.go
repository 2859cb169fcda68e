package broker

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// dirLock keeps a second broker out of a data directory. It is the file "lock" in it, locked by the operating system, which
// forgets the lock when the process dies, however it dies. The file's text is for people and for the next start:
//
//	pid 4711
//	address 127.0.0.1:9092
type dirLock struct {
	file *os.File
	last map[string]string // the text of the last run
}

// errHeld is what holdFile answers when someone else holds the file.
var errHeld = errors.New("held by another process")

// lockDir takes the directory, creating it if it is missing.
func lockDir(dir string) (*dirLock, error) {
	if err := usableDir(dir); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("broker: data directory %s: %w; choose one that this user may write", dir, err)
	}
	text, err := io.ReadAll(file)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("broker: data directory %s: %w", dir, err), file.Close())
	}
	l := &dirLock{file: file, last: parseLock(string(text))}
	if err := holdFile(file); err != nil {
		return nil, errors.Join(fmt.Errorf("broker: data directory %s %w", dir, l.blame(err)), file.Close())
	}
	return l, nil
}

// blame explains why the lock was not had: who has it, as far as the file says.
func (l *dirLock) blame(err error) error {
	if !errors.Is(err, errHeld) {
		return fmt.Errorf("cannot be locked: %w", err)
	}
	pid, address := l.last["pid"], l.last["address"]
	switch {
	case pid == "":
		return errors.New("is used by another broker; stop it, or choose another directory")
	case pid == strconv.Itoa(os.Getpid()):
		return fmt.Errorf("is used by another broker of this process (at %s); close it first, or choose another directory", address)
	default:
		return fmt.Errorf("is used by the broker of process %s (at %s); stop that process, connect to it instead, or choose another directory", pid, address)
	}
}

// lastPort is the port of the last run, or otherwise if there was none.
func (l *dirLock) lastPort(otherwise string) string {
	if _, port, err := net.SplitHostPort(l.last["address"]); err == nil {
		return port
	}
	return otherwise
}

// write leaves word of who serves the directory, and where. A nil lock, in memory, has nowhere to leave it.
func (l *dirLock) write(address string) error {
	if l == nil {
		return nil
	}
	text := fmt.Sprintf("pid %d\naddress %s\n", os.Getpid(), address)
	if err := l.file.Truncate(0); err != nil {
		return fmt.Errorf("broker: %s: %w", l.file.Name(), err)
	}
	if _, err := l.file.WriteAt([]byte(text), 0); err != nil {
		return fmt.Errorf("broker: %s: %w", l.file.Name(), err)
	}
	return nil
}

// release gives the directory up. The file stays: removing it would race with the next process that locks it.
func (l *dirLock) release() error {
	if l == nil {
		return nil
	}
	return l.file.Close()
}

func parseLock(text string) map[string]string {
	fields := map[string]string{}
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			fields[name] = value
		}
	}
	return fields
}
