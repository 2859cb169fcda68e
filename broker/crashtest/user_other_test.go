//go:build !unix

package crashtest

import "errors"

func limitFiles(uint64) error { return errors.ErrUnsupported }

func (p *process) runAs(uint32) { p.t.Skip("this system cannot run a process as another user") }
