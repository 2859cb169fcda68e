package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// tick is the unit of times in /proc/PID/stat: 1/100 s on all machines since Linux 2.6.
const tick = 10 * time.Millisecond

// stat returns a field of /proc/PID/stat, numbered as in proc(5).
func stat(pid, field int) (time.Duration, error) {
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	const afterName = 3 // the second field is the name in parentheses, which may contain spaces
	fields := strings.Fields(string(line[bytes.LastIndexByte(line, ')')+1:]))
	n, err := strconv.ParseInt(fields[field-afterName], 10, 64)
	return time.Duration(n) * tick, err
}

// cpuOf returns the CPU time (user and system) of a process.
func cpuOf(pid int) (time.Duration, error) {
	user, err := stat(pid, 14)
	if err != nil {
		return 0, err
	}
	system, err := stat(pid, 15)
	return user + system, err
}

// startOf returns the start time of a process, since boot.
func startOf(pid int) (time.Duration, error) { return stat(pid, 22) }

func sinceBoot() (time.Duration, error) {
	line, err := os.ReadFile("/proc/uptime")
	if err != nil {
		return 0, err
	}
	seconds, _, _ := strings.Cut(string(line), " ")
	s, err := strconv.ParseFloat(seconds, 64)
	return time.Duration(s * float64(time.Second)), err
}

// ownCPU returns the CPU time (user and system) of this process.
func ownCPU() (time.Duration, error) {
	var used syscall.Rusage
	err := syscall.Getrusage(syscall.RUSAGE_SELF, &used)
	return time.Duration(used.Utime.Nano() + used.Stime.Nano()), err
}

// machineCPU returns the CPU time of all processes and the kernel since boot, including time taken by the hypervisor.
func machineCPU() (time.Duration, error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, err
	}
	line, _, _ := strings.Cut(string(text), "\n")
	const idle, wait, guest = 4, 5, 9 // fields as in proc(5); guest time is included in user time
	sum := int64(0)
	for i, field := range strings.Fields(line) {
		if i == 0 || i == idle || i == wait || i >= guest {
			continue
		}
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return time.Duration(sum) * tick, nil
}

// killLimit is how long a process may take to end after kill -9; it must release its memory first.
const killLimit = time.Minute

// killProcess sends kill -9 to a process, which need not be a child of this one, and waits until it has ended and
// released its ports and locks.
func killProcess(pid int) error {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return fmt.Errorf("process %d: %w", pid, err)
	}
	defer unix.Close(fd)
	if err := unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0); err != nil {
		return fmt.Errorf("kill process %d: %w", pid, err)
	}
	gone := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	for deadline := time.Now().Add(killLimit); ; {
		n, err := unix.Poll(gone, int(time.Until(deadline).Milliseconds()))
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return fmt.Errorf("wait for process %d: %w", pid, err)
		case n == 0:
			return fmt.Errorf("process %d is still running %v after kill -9", pid, killLimit)
		default:
			return nil
		}
	}
}

// memory is the resident memory of a process, in bytes.
type memory struct {
	now, most int64 // VmRSS, VmHWM
}

func memoryOf(pid int) (memory, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return memory{}, err
	}
	var m memory
	for line := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(line, ":")
		switch name {
		case "VmRSS":
			m.now, err = kibibytes(value)
		case "VmHWM":
			m.most, err = kibibytes(value)
		}
		if err != nil {
			return m, err
		}
	}
	return m, nil
}

func kibibytes(value string) (int64, error) {
	n, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
	return n << 10, err
}
