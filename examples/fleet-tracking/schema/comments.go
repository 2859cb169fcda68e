package schema

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
)

// Comments are what the sources of some packages say of the fields of structs and of constants. Names are those of reflect, such as
// "fleet.Position".
type Comments struct {
	fields map[string]map[string]string // by type and Go name
	values map[string][]string          // of the string constants of a type, in their order
}

// ReadComments reads the packages in some folders. A package has the name of its folder.
func ReadComments(folders ...string) (Comments, error) {
	c := Comments{map[string]map[string]string{}, map[string][]string{}}
	for _, folder := range folders {
		files, err := os.ReadDir(folder)
		if err != nil {
			return c, err
		}
		for _, file := range files {
			if name := file.Name(); !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
				continue
			}
			set := token.NewFileSet()
			source, err := parser.ParseFile(set, filepath.Join(folder, file.Name()), nil, parser.ParseComments)
			if err != nil {
				return c, err
			}
			c.read(set, source)
		}
	}
	return c, nil
}

func (c Comments) read(set *token.FileSet, source *ast.File) {
	ast.Inspect(source, func(node ast.Node) bool {
		switch spec := node.(type) {
		case *ast.TypeSpec:
			if of, ok := spec.Type.(*ast.StructType); ok {
				c.fields[source.Name.Name+"."+spec.Name.Name] = fieldComments(set, of)
			}
		case *ast.ValueSpec:
			of, ok := spec.Type.(*ast.Ident)
			if !ok || len(spec.Values) != 1 {
				break
			}
			if literal, ok := spec.Values[0].(*ast.BasicLit); ok && literal.Kind == token.STRING {
				value, _ := strconv.Unquote(literal.Value)
				of := source.Name.Name + "." + of.Name
				c.values[of] = append(c.values[of], value)
			}
		}
		return true
	})
}

// fieldComments returns what is said of each field: the comment beside it, after the one above its group. A group ends at an empty line.
func fieldComments(set *token.FileSet, of *ast.StructType) map[string]string {
	texts := map[string]string{}
	group, last := "", 0
	for _, field := range of.Fields.List {
		switch line := set.Position(field.Pos()).Line; {
		case field.Doc != nil:
			group = words(field.Doc)
			if len(field.Names) > 0 && strings.HasPrefix(group, field.Names[0].Name+" ") {
				break // a sentence about the field keeps its name
			}
			group = lower(group)
		case line > last+1:
			group = ""
		}
		last = set.Position(field.End()).Line
		text := words(field.Comment)
		switch {
		case text == "":
			text = group
		case group != "":
			text += "; " + group
		}
		for _, name := range field.Names {
			texts[name.Name] = text
		}
	}
	return texts
}

// lower returns a sentence as a part of another.
func lower(sentence string) string {
	if sentence == "" {
		return ""
	}
	return strings.ToLower(sentence[:1]) + strings.TrimSuffix(sentence[1:], ".")
}

// words returns a comment on one line.
func words(comment *ast.CommentGroup) string {
	return strings.Join(strings.Fields(comment.Text()), " ")
}

// of returns what is said of a field of a struct. Where it names fields of the struct, or of the one inside the field, they get their names
// in JSON.
func (c Comments) of(owner reflect.Type, field string) string {
	text := c.fields[owner.String()][field]
	if text == "" {
		return ""
	}
	inside := []reflect.Type{owner}
	if f, ok := owner.FieldByName(field); ok {
		inside = append(inside, structOf(f.Type))
	}
	for _, name := range strings.FieldsFunc(text, func(r rune) bool { return !isLetter(r) }) {
		for _, t := range inside {
			if t == nil {
				continue
			}
			if named, ok := t.FieldByName(name); ok {
				text = replaceWord(text, name, "`"+jsonName(named)+"`")
				break
			}
		}
	}
	return strings.ReplaceAll(text, "nil", "absent")
}

// structOf returns the struct that a value holds, or nil.
func structOf(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	return t
}

func isLetter(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }

// replaceWord replaces a word wherever it stands alone and is not quoted.
func replaceWord(text, word, by string) string {
	var out strings.Builder
	for {
		i := strings.Index(text, word)
		if i < 0 {
			out.WriteString(text)
			return out.String()
		}
		end := i + len(word)
		inside := i > 0 && (isLetter(rune(text[i-1])) || text[i-1] == '`') || end < len(text) && isLetter(rune(text[end]))
		out.WriteString(text[:i])
		if inside {
			out.WriteString(word)
		} else {
			out.WriteString(by)
		}
		text = text[end:]
	}
}
