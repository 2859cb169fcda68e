package main

import (
	"go/ast"
	"slices"
)

// callGraph records which functions in a package's test files mention which others. It only uses names, not types: a selector
// x.start stands for every method start of the package.
type callGraph struct {
	functions map[string][]*ast.FuncDecl
	methods   map[string][]*ast.FuncDecl
}

func newCallGraph() *callGraph {
	return &callGraph{functions: map[string][]*ast.FuncDecl{}, methods: map[string][]*ast.FuncDecl{}}
}

func (g *callGraph) add(file *ast.File) {
	for _, decl := range file.Decls {
		f, ok := decl.(*ast.FuncDecl)
		switch {
		case !ok || f.Body == nil:
		case f.Recv == nil:
			g.functions[f.Name.Name] = append(g.functions[f.Name.Name], f)
		default:
			g.methods[f.Name.Name] = append(g.methods[f.Name.Name], f)
		}
	}
}

// reveals maps names to the places where a test that mentions them runs.
var reveals = map[string]Place{
	"broker.Start":        Embedded,
	"kfake.NewCluster":    Simulated,
	`"RIO_KAFKA"`:         Apache, // the CI step kafka runs exactly the packages whose tests read it
	"exec.Command":        Processes,
	"exec.CommandContext": Processes,
}

// places returns where a test runs, in the order of the page, by what it mentions directly or through helpers in test files.
// Child processes of a test start in TestMain.
func (g *callGraph) places(test string, processes bool) []Place {
	w := &walk{graph: g, seen: map[*ast.FuncDecl]bool{}, found: map[Place]bool{}}
	w.visit(g.functions[test])
	if processes {
		w.visit(g.functions["TestMain"])
	}
	return slices.DeleteFunc(slices.Clone(places), func(at Place) bool { return !w.found[at] })
}

type walk struct {
	graph *callGraph
	seen  map[*ast.FuncDecl]bool
	found map[Place]bool
}

func (w *walk) visit(functions []*ast.FuncDecl) {
	for _, f := range functions {
		if w.seen[f] {
			continue
		}
		w.seen[f] = true
		ast.Inspect(f.Body, w.node)
	}
}

func (w *walk) node(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.BasicLit:
		w.reveal(n.Value)
	case *ast.Ident:
		w.visit(w.graph.functions[n.Name])
	case *ast.SelectorExpr:
		if x, ok := n.X.(*ast.Ident); ok {
			w.reveal(x.Name + "." + n.Sel.Name)
		}
		w.visit(w.graph.methods[n.Sel.Name])
		ast.Inspect(n.X, w.node)
		return false // n.Sel is not a function of the package
	}
	return true
}

func (w *walk) reveal(text string) {
	if at, ok := reveals[text]; ok {
		w.found[at] = true
	}
}
