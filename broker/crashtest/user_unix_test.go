//go:build unix

package crashtest

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// limitFiles sets how many files this process may open.
func limitFiles(n uint64) error {
	return unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: n, Max: n})
}

// runAs makes the process run as another user, who may not be able to read the directory of this program.
func (p *process) runAs(user uint32) {
	p.t.Helper()
	program, err := os.Open(os.Args[0])
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { program.Close() })
	p.cmd.Path, p.cmd.ExtraFiles = "/proc/self/fd/3", []*os.File{program}
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: user, Gid: user}}
}
