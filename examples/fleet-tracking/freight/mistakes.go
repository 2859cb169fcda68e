package freight

import (
	"errors"
	"fmt"
)

// enough is how many mistakes are told.
const enough = 50

// mistakes are all that is wrong with the files.
type mistakes struct {
	found []error
	more  int
}

// place is a line of a file.
type place struct {
	file string
	line int
}

func (p place) String() string { return fmt.Sprintf("%s line %d", p.file, p.line) }

func (m *mistakes) at(p place, format string, args ...any) { m.add(p.String(), format, args...) }

func (m *mistakes) add(where, format string, args ...any) {
	if len(m.found) == enough {
		m.more++
		return
	}
	m.found = append(m.found, fmt.Errorf("freight: %s: %s", where, fmt.Sprintf(format, args...)))
}

func (m *mistakes) err() error {
	if m.more > 0 {
		return errors.Join(append(m.found, fmt.Errorf("freight: and %d more", m.more))...)
	}
	return errors.Join(m.found...)
}
