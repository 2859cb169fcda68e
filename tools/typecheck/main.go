// Typecheck checks that packages and their tests compile for other operating systems:
//
//	go -C tools run ./typecheck .. windows darwin
//
// It type-checks them and everything they import from source, which takes seconds; go vet and go build would compile the
// dependencies for each system, which takes minutes.
package main

import (
	"fmt"
	"os"

	"golang.org/x/tools/go/packages"
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: typecheck MODULE GOOS...")
		os.Exit(2)
	}
	for _, system := range os.Args[2:] {
		if err := check(os.Args[1], system); err != nil {
			fmt.Fprintf(os.Stderr, "typecheck: %s: %v\n", system, err)
			os.Exit(1)
		}
	}
}

// check type-checks all packages of the module in dir, and their tests, for a system. It prints what does not compile.
func check(dir, system string) error {
	all, err := packages.Load(&packages.Config{
		Mode:  packages.NeedName | packages.NeedFiles | packages.NeedImports | packages.NeedDeps | packages.NeedSyntax | packages.NeedTypes | packages.NeedTypesSizes,
		Dir:   dir,
		Env:   append(os.Environ(), "GOOS="+system, "CGO_ENABLED=0"),
		Tests: true,
	}, "./...")
	switch {
	case err != nil:
		return err
	case len(all) == 0:
		return fmt.Errorf("%s has no packages", dir)
	case packages.PrintErrors(all) > 0:
		return fmt.Errorf("some packages do not compile")
	}
	return nil
}
