package crashtest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// A start on a full disk fails within seconds, whatever the directory contains. The error names the directory and says what to
// do. When there is space, the next start succeeds, and no acknowledged record is lost.
//
// Proves: full-disk-refuses-and-recovers (processes), acked-not-lost (processes)
func TestStartOnAFullDisk(t *testing.T) {
	long(t)
	for name, end := range map[string]func(p *process){
		"after a stop": func(p *process) { p.stop() },
		"after a kill": func(p *process) { p.kill() },
	} {
		t.Run(name, func(t *testing.T) {
			d := newFullDisk(t)
			d.squeeze("rest", diskSize)
			d.broker.mustFail(d.broker.dir, "disk is full", "free some space")
			d.broker.mustFail(d.broker.dir, "disk is full", "free some space") // files of the first attempt must not matter
			d.release("rest")

			d.broker.serve()
			producer := d.newPatient()
			for range 100 {
				producer.send()
				producer.mustBeAcknowledged()
			}
			end(d.broker)
			d.squeeze("rest", diskSize)
			d.broker.mustFail(d.broker.dir, "disk is full", "free some space")
			d.broker.mustFail(d.broker.dir, "disk is full", "free some space")
			d.release("rest")

			d.broker.serve()
			d.mustHoldAll()
			producer.send()
			producer.mustBeAcknowledged()
		})
	}
}

// A broker can be stopped on a full disk: at once if nothing must be written, otherwise within a few seconds.
//
// Proves: full-disk-refuses-and-recovers (processes)
func TestStopOnAFullDisk(t *testing.T) {
	long(t)
	for name, write := range map[string]func(d *fullDisk, p *patientProducer){
		"at rest":           func(d *fullDisk, p *patientProducer) {},
		"while writes wait": func(d *fullDisk, p *patientProducer) { p.fillTheLog() },
	} {
		t.Run(name, func(t *testing.T) {
			d := newFullDisk(t)
			d.broker.serve()
			producer := d.newPatient()
			for range 100 {
				producer.send()
				producer.mustBeAcknowledged()
			}
			d.squeeze("rest", diskSize)
			write(d, producer)
			began := time.Now()
			d.broker.stop()
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("the stop took %v", took)
			}
			d.release("rest")
			d.broker.serve()
			d.mustHoldAll()
		})
	}
}

// fillTheLog creates topics until the broker's writes wait for free space.
func (p *patientProducer) fillTheLog() {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), waitTimeout)
	defer cancel()
	client := newClient(ctx, p.t, p.broker.address)
	filling := make(chan struct{})
	go func() {
		defer close(filling)
		for i := 0; ctx.Err() == nil; i++ {
			_ = createTopic(ctx, client, fmt.Sprint("filler-", i), 2_000)
		}
	}()
	defer func() {
		cancel()
		client.Close()
		<-filling
	}()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for !p.broker.hasSaid("waiting for space") {
		select {
		case <-again.C:
		case <-filling:
			p.t.Fatal("the broker's writes never have to wait for room")
		}
	}
}

// A start fails if the directory is on a read-only file system or belongs to another user.
func TestReadOnlyFileSystem(t *testing.T) {
	dir := smallDisk(t, 64<<20)
	if os.Getenv("RIO_TMPFS") != "" {
		t.Skip("the file system of RIO_TMPFS belongs to others")
	}
	p := newProcess(t, dir)
	remount := func(how string) {
		t.Helper()
		if out, err := exec.Command("mount", "-o", "remount,"+how, dir).CombinedOutput(); err != nil {
			t.Fatalf("remount %s: %v: %s", how, err, out)
		}
	}
	remount("ro")
	p.mustFail(p.dir, "read-only file system", "mount it writable, or choose another directory")
	remount("rw")
	p.serve()
	p.stop()
	remount("ro")
	p.mustFail(p.dir, "read-only file system", "mount it writable, or choose another directory")
}

// nobody is the id of an unprivileged user.
const nobody = 65534

func TestDirectoryOfSomebodyElse(t *testing.T) {
	p := newProcess(t, t.TempDir())
	p.serve()
	p.stop()
	if os.Geteuid() == 0 {
		p.user = nobody
	}
	for _, dir := range []string{p.dir, filepath.Join(p.dir, "rio")} {
		if err := os.Chmod(dir, 0o500); err != nil {
			t.Fatal(err)
		}
		defer os.Chmod(dir, 0o700)
	}
	p.mustFail(p.dir, "permission denied", "choose a directory that this user may write")
}
