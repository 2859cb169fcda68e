package store

import (
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

func TestANewDirectorySurvivesAPowerCut(t *testing.T) {
	disk := vfs.NewCrashableMem()
	for _, dir := range []string{"/var/lib/rio", "/var/lib/rio", "/var/lib/other"} {
		if err := makeDir(disk, dir); err != nil {
			t.Fatal(err)
		}
	}
	after := disk.CrashClone(vfs.CrashCloneCfg{})
	for _, dir := range []string{"/var/lib/rio", "/var/lib/other"} {
		if info, err := after.Stat(dir); err != nil || !info.IsDir() {
			t.Errorf("%s after a power cut: %v", dir, err)
		}
	}
}

func TestADirectoryThatCannotBe(t *testing.T) {
	disk := vfs.NewMem()
	if _, err := disk.Create("/var", vfs.WriteCategoryUnspecified); err != nil {
		t.Fatal(err)
	}
	if err := makeDir(disk, "/var/lib"); err == nil {
		t.Error("created a directory below a file")
	}
}
