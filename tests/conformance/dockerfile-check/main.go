// Dockerfile-check judges Dockerfiles with BuildKit's own frontend, without building anything: what
// `docker build --check` says, and what the image would tell the processes in it.
//
//	dockerfile-check [check] FILE...
//	dockerfile-check env FILE...
//	dockerfile-check try
//
// There are no registries here: whatever a FROM names is an image for linux/amd64 that sets PATH and
// nothing else. Files that are copied needn't be there.
//
// `check` prints a line for each bad file and ends with 1 when there is one; everything that
// BuildKit's linter finds is bad. `env` prints what the processes get: for the last stage of each file
// one line of JSON with its command, environment, labels and the rest of the image's configuration.
// `try` takes lines of JSON with a place, a name and a value, and answers each with whether a
// Dockerfile can carry them there, however carefully it is written. All end with 2 when they can't
// run.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
)

// errBad says that what is wrong has been printed.
var errBad = errors.New("there are bad files")

func main() {
	err := run(os.Args[1:], os.Stdin, os.Stdout)
	switch {
	case err == nil:
	case errors.Is(err, errBad):
		os.Exit(1)
	default:
		fmt.Fprintf(os.Stderr, "dockerfile-check: %v\n", err)
		os.Exit(2)
	}
}

func run(args []string, in io.Reader, out io.Writer) error {
	mode := "check"
	if len(args) > 0 && (args[0] == "check" || args[0] == "env" || args[0] == "try") {
		mode, args = args[0], args[1:]
	}
	flags := flag.NewFlagSet("dockerfile-check "+mode, flag.ContinueOnError)
	if err := flags.Parse(args); err != nil {
		return err
	}
	if mode == "try" {
		return answer(in, out)
	}
	if flags.NArg() == 0 {
		return errors.New("name the files to read")
	}
	var all []*file
	for _, path := range flags.Args() {
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		f := &file{path: path, source: source}
		if mode == "check" {
			f.lint()
		}
		f.convert()
		all = append(all, f)
	}
	if mode == "env" {
		if err := printRecords(out, all); err != nil {
			return err
		}
		out = os.Stderr
	}
	bad := report(out, all)
	if mode == "check" {
		fmt.Fprintf(out, "%d files, %d bad\n", len(all), bad)
	}
	if bad > 0 {
		return errBad
	}
	return nil
}

// printRecords prints one line of JSON for each file that can be built.
func printRecords(out io.Writer, all []*file) error {
	lines := json.NewEncoder(out)
	lines.SetEscapeHTML(false)
	for _, f := range all {
		if f.record == nil {
			continue
		}
		if err := lines.Encode(f.record); err != nil {
			return err
		}
	}
	return nil
}

// report prints what is wrong, one line a file, and counts the lines.
func report(out io.Writer, all []*file) int {
	bad := 0
	for _, f := range all {
		if len(f.problems) == 0 {
			continue
		}
		bad++
		fmt.Fprintf(out, "%s: %s\n", f.path, strings.Join(strings.Fields(strings.Join(unique(f.problems), "; ")), " "))
	}
	return bad
}

// unique keeps the first of equal texts: what can't be built is found by the linter, too.
func unique(texts []string) []string {
	seen := map[string]bool{}
	var kept []string
	for _, text := range texts {
		if !seen[text] {
			seen[text] = true
			kept = append(kept, text)
		}
	}
	return kept
}
