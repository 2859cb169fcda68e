package oracle

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
)

// kafkaStreams is the Java process. It answers one case at a time.
type kafkaStreams struct {
	cases   io.WriteCloser
	answers *bufio.Reader
	process *exec.Cmd
}

// startKafkaStreams starts the Java program, given its class path. It ends with the test.
func startKafkaStreams(t *testing.T, classPath string) *kafkaStreams {
	t.Helper()
	process := exec.Command("java", "-Xmx512m", "-XX:+UseSerialGC", "-Dorg.slf4j.simpleLogger.defaultLogLevel=off", "-cp", classPath, "Oracle")
	process.Stderr = os.Stderr
	cases, err := process.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	answers, err := process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	k := &kafkaStreams{cases: cases, answers: bufio.NewReaderSize(answers, 1<<20), process: process}
	t.Cleanup(func() {
		cases.Close() // the end of its input ends it
		if err := process.Wait(); err != nil {
			t.Errorf("the Java program: %v", err)
		}
	})
	return k
}

// run returns what Kafka Streams emits after each input of a case.
func (k *kafkaStreams) run(c testCase) ([][]output, error) {
	if _, err := io.WriteString(k.cases, c.String()+"\n"); err != nil {
		return nil, fmt.Errorf("the Java program does not read: %w", err)
	}
	line, err := k.answers.ReadBytes('\n')
	if err != nil {
		return nil, fmt.Errorf("the Java program does not answer: %w", err)
	}
	var a answer
	if err := json.Unmarshal(line, &a); err != nil {
		return nil, fmt.Errorf("%w in the answer of the Java program: %.200s", err, line)
	}
	if a.Error != "" {
		return nil, fmt.Errorf("Kafka Streams: %s", a.Error)
	}
	return a.Outputs, nil
}
