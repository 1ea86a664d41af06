package main

import (
	"bytes"
	"regexp"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
)

// Over this a server keeps no source, and `nomad job inspect -hcl` has nothing to show.
const largestSource = 1_000_000

// checkSource looks at the file as HCL.
func (j *job) checkSource() {
	if len(j.source) > largestSource {
		j.bad("%d bytes are more source than a server keeps", len(j.source))
	}
	if line := unformatted(j.source); line > 0 {
		j.bad("line %d isn't as `nomad fmt` writes it", line)
	}
	file, diagnostics := hclsyntax.ParseConfig(j.source, j.path, hcl.InitialPos)
	if diagnostics.HasErrors() {
		return // Nomad has said so
	}
	body, ok := file.Body.(*hclsyntax.Body)
	if !ok {
		return
	}
	// Of two equal keys Nomad takes the last without a word.
	for _, diagnostic := range hclsyntax.VisitAll(body, duplicateKeys) {
		j.bad("line %d: %s", diagnostic.Subject.Start.Line, diagnostic.Summary)
	}
}

// unformatted is the first line that a formatter changes, or 0.
func unformatted(source []byte) int {
	formatted := hclwrite.Format(source)
	if bytes.Equal(formatted, source) {
		return 0
	}
	lines := bytes.Split(formatted, []byte("\n"))
	for i, line := range bytes.Split(source, []byte("\n")) {
		if i >= len(lines) || !bytes.Equal(line, lines[i]) {
			return i + 1
		}
	}
	return len(lines)
}

func duplicateKeys(node hclsyntax.Node) hcl.Diagnostics {
	object, ok := node.(*hclsyntax.ObjectConsExpr)
	if !ok {
		return nil
	}
	var found hcl.Diagnostics
	seen := map[string]bool{}
	for _, item := range object.Items {
		key, diagnostics := item.KeyExpr.Value(nil)
		if diagnostics.HasErrors() || key.IsNull() || !key.IsKnown() || key.Type().FriendlyName() != "string" {
			continue
		}
		name := key.AsString()
		if seen[name] {
			where := item.KeyExpr.Range()
			found = append(found, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "the key " + name + " is there twice", Subject: &where})
		}
		seen[name] = true
	}
	return found
}

// reference is what Nomad replaces in texts at run time, where it knows the name.
var reference = regexp.MustCompile(`\${([a-zA-Z0-9_\-.]+)}`)
