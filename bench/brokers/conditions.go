package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
)

// conditions describe the machine and the software of the measurement.
type conditions []string

func conditionsNow(s settings, dir string) conditions {
	return conditions{
		fmt.Sprintf("%s: %s", time.Now().Format(time.DateOnly), strings.Join(os.Args[1:], " ")),
		fmt.Sprintf("machine: %s, %d processors, memory %s, %s %s, load average at the start %s",
			valueIn("/proc/cpuinfo", "model name"), runtime.NumCPU(), valueIn("/proc/meminfo", "MemTotal"),
			firstLine("uname", "-sr"), runtime.GOARCH, strings.Join(firstFields("/proc/loadavg", 3), " ")),
		fmt.Sprintf("data: in %s, on %s", dir, lastLine("df", "--output=source,fstype", dir)),
		fmt.Sprintf("versions: Rio %s, %s; Apache Kafka %s, %s; client franz-go %s",
			firstLine("git", "describe", "--always", "--dirty"), runtime.Version(),
			kafkaVersion(s.kafka.script), firstLine("java", "-version"), moduleVersion("github.com/twmb/franz-go")),
		fmt.Sprintf("load: %d records of %d bytes and %d of %d in %d partitions each, %d topics of %d partitions; %d rounds; median (smallest..largest)",
			s.load.small, smallValue, s.load.large, largeValue, partitions, s.load.topics, topicPartitions, s.rounds),
		"Kafka's JVM: " + s.kafka.jvm,
	}
}

func (c conditions) print(w io.Writer) {
	for _, line := range c {
		fmt.Fprintln(w, line)
	}
	fmt.Fprintln(w)
}

const unknown = "unknown"

// output runs a command and returns its output. Errors are ignored, because missing information must not prevent the
// measurement.
func output(name string, args ...string) []string {
	text, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		return []string{unknown}
	}
	return strings.Split(strings.TrimSpace(string(text)), "\n")
}

func firstLine(name string, args ...string) string { return output(name, args...)[0] }

func lastLine(name string, args ...string) string {
	lines := output(name, args...)
	return strings.Join(strings.Fields(lines[len(lines)-1]), " ")
}

// valueIn finds "name: value" in a file of /proc.
func valueIn(path, name string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return unknown
	}
	for line := range strings.Lines(string(text)) {
		if key, value, found := strings.Cut(line, ":"); found && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return unknown
}

func firstFields(path string, n int) []string {
	text, err := os.ReadFile(path)
	if err != nil {
		return []string{unknown}
	}
	fields := strings.Fields(string(text))
	return fields[:min(n, len(fields))]
}

// kafkaVersion returns the version, from the help text of the script.
func kafkaVersion(script string) string {
	for _, line := range output(script, "help") {
		if _, rest, found := strings.Cut(line, "fetch Apache Kafka "); found {
			version, _, _ := strings.Cut(rest, " ")
			return version
		}
	}
	return unknown
}

func moduleVersion(path string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return unknown
	}
	for _, module := range info.Deps {
		if module.Path == path {
			return module.Version
		}
	}
	return unknown
}
