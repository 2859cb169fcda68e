package main

import (
	"go/ast"
	"slices"
)

// callGraph knows which functions of a package's test files mention which others. It goes by names alone, without types:
// a selector x.start stands for every method start of the package.
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

// reveals says what a test that mentions one of these works with.
var reveals = map[string]Place{
	"broker.Start":        Embedded,
	"kfake.NewCluster":    Simulated,
	`"RIO_KAFKA"`:         Apache, // the step kafka runs exactly the packages whose tests ask for it
	"exec.Command":        Processes,
	"exec.CommandContext": Processes,
}

// places returns where a test runs, in the order of the page: what it reveals, directly or through helpers in test files.
// The children of a test with processes begin in TestMain.
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
		return false // n.Sel is no function of the package
	}
	return true
}

func (w *walk) reveal(text string) {
	if at, ok := reveals[text]; ok {
		w.found[at] = true
	}
}
