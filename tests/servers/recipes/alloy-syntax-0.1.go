// alloy-syntax parses Grafana Alloy's configuration and prints its blocks as JSON.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/grafana/alloy/syntax/ast"
	"github.com/grafana/alloy/syntax/parser"
	"github.com/grafana/alloy/syntax/printer"
)

type block struct {
	Name       string            `json:"name"`
	Label      string            `json:"label,omitempty"`
	Line       int               `json:"line"`
	Attributes map[string]string `json:"attributes"`
	Blocks     []block           `json:"blocks"`
}

// body keeps each attribute's expression as text, in the printer's own format.
func body(of ast.Body) (map[string]string, []block, error) {
	attributes, blocks := map[string]string{}, []block{}
	for _, statement := range of {
		switch each := statement.(type) {
		case *ast.AttributeStmt:
			var text strings.Builder
			if err := printer.Fprint(&text, each.Value); err != nil {
				return nil, nil, err
			}
			attributes[each.Name.Name] = text.String()
		case *ast.BlockStmt:
			inner, nested, err := body(each.Body)
			if err != nil {
				return nil, nil, err
			}
			line := each.NamePos.Position().Line
			blocks = append(blocks, block{strings.Join(each.Name, "."), each.Label, line, inner, nested})
		}
	}
	return attributes, blocks, nil
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: alloy-syntax FILE")
		os.Exit(2)
	}
	text, err := os.ReadFile(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	file, err := parser.ParseFile(os.Args[1], text)
	if err != nil {
		// Each diagnostic has its position.
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	attributes, blocks, err := body(file.Body)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	out := json.NewEncoder(os.Stdout)
	out.SetIndent("", " ")
	if err := out.Encode(block{Attributes: attributes, Blocks: blocks}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
