// Command entsplit cuts the mutation.go that ent generates, which has the mutations of all entities and
// is more than a megabyte, into a file for each: company_mutation.go beside company_create.go. What is
// common to all stays in mutation.go.
//
//	go run ./entsplit ../ent
//
// It moves text and changes none, but for the imports, of which each file keeps what it uses.
package main

import (
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: entsplit FOLDER")
		os.Exit(2)
	}
	if err := split(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "entsplit:", err)
		os.Exit(1)
	}
}

// part is what goes into one file.
type part struct {
	name  string
	decls []ast.Decl
}

func split(folder string) error {
	const suffix = "_mutation.go"
	source := filepath.Join(folder, "mutation.go")
	text, err := os.ReadFile(source)
	if err != nil {
		return err
	}
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, source, text, parser.ParseComments)
	if err != nil {
		return err
	}
	// An entity's declarations begin with the type of its mutation.
	parts := []part{{name: "mutation.go"}}
	for _, decl := range file.Decls {
		if isImport(decl) {
			continue
		}
		if entity, ok := strings.CutSuffix(typeOf(decl), "Mutation"); ok {
			parts = append(parts, part{name: strings.ToLower(entity) + suffix})
		}
		last := &parts[len(parts)-1]
		last.decls = append(last.decls, decl)
	}
	if len(parts) < 2 {
		return fmt.Errorf("%s has no mutations: it was split already, or ent writes it otherwise", source)
	}
	old, err := filepath.Glob(filepath.Join(folder, "*"+suffix))
	if err != nil {
		return err
	}
	for _, name := range old { // also those of entities that are no more
		if err := os.Remove(name); err != nil {
			return err
		}
	}
	for _, p := range parts {
		written, err := p.text(files, file, text)
		if err != nil {
			return fmt.Errorf("writing %s: %w", p.name, err)
		}
		if err := os.WriteFile(filepath.Join(folder, p.name), written, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// text is the file of p: the head of the whole file, the imports that p uses, and its declarations as they
// stand there.
func (p part) text(files *token.FileSet, file *ast.File, whole []byte) ([]byte, error) {
	used := map[string]bool{}
	for _, decl := range p.decls {
		ast.Inspect(decl, func(n ast.Node) bool {
			if selector, ok := n.(*ast.SelectorExpr); ok {
				if name, ok := selector.X.(*ast.Ident); ok {
					used[name.Name] = true
				}
			}
			return true
		})
	}
	offset := func(at token.Pos) int { return files.Position(at).Offset }
	var b strings.Builder
	b.Write(whole[:offset(file.Name.End())])
	b.WriteString("\n\nimport (\n")
	for _, group := range [2]bool{true, false} { // the standard library's first
		for _, spec := range file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return nil, err
			}
			name := path.Base(imported)
			if spec.Name != nil {
				name = spec.Name.Name
			}
			first, _, _ := strings.Cut(imported, "/")
			if used[name] && strings.Contains(first, ".") != group {
				b.Write(append(whole[offset(spec.Pos()):offset(spec.End()):offset(spec.End())], '\n'))
			}
		}
		b.WriteString("\n")
	}
	b.WriteString(")\n")
	for _, decl := range p.decls {
		b.WriteString("\n")
		b.Write(whole[offset(begin(decl)):offset(decl.End())])
		b.WriteString("\n")
	}
	return format.Source([]byte(b.String()))
}

// begin is where a declaration begins, its comment included.
func begin(decl ast.Decl) token.Pos {
	var doc *ast.CommentGroup
	switch d := decl.(type) {
	case *ast.FuncDecl:
		doc = d.Doc
	case *ast.GenDecl:
		doc = d.Doc
	}
	if doc != nil {
		return doc.Pos()
	}
	return decl.Pos()
}

func isImport(decl ast.Decl) bool {
	d, ok := decl.(*ast.GenDecl)
	return ok && d.Tok == token.IMPORT
}

// typeOf is the name of the struct that decl declares; empty: none.
func typeOf(decl ast.Decl) string {
	d, ok := decl.(*ast.GenDecl)
	if !ok || d.Tok != token.TYPE || len(d.Specs) != 1 {
		return ""
	}
	spec, ok := d.Specs[0].(*ast.TypeSpec)
	if !ok {
		return ""
	}
	if _, ok := spec.Type.(*ast.StructType); !ok {
		return ""
	}
	return spec.Name.Name
}
