package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
)

// kafkaStreams returns the command of the contestant on Kafka Streams. streams/build compiles it first.
func kafkaStreams(ctx context.Context) (*exec.Cmd, error) {
	build := exec.CommandContext(ctx, "streams/build")
	build.Stderr = os.Stderr
	classPath, err := build.Output()
	if err != nil {
		return nil, fmt.Errorf("build the contestant on Kafka Streams: %w", err)
	}
	return exec.CommandContext(ctx, "java", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-cp", string(bytes.TrimSpace(classPath)), "Vehicles"), nil
}
