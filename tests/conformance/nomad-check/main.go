// Nomad-check judges jobs with Nomad's own code, without an agent: what `nomad fmt -check` and
// `nomad job validate` say, and what they don't look at, because it happens on the client when a
// task starts: the interpolation of the environment, the second reading of the Docker driver's
// options, and the rendering of templates.
//
//	nomad-check [check] [-allow-warning TEXT] [-var NAME=VALUE] [-kv FILE] PATH...
//	nomad-check env [-var NAME=VALUE] [-kv FILE] PATH...
//	nomad-check try
//
// A PATH is a job, or a folder whose *.hcl files are read.
//
// `check` prints a line for each bad job and ends with 1 when there is one. `env` prints what the
// processes get: for each task of each allocation one line of JSON with its environment, the options
// of its driver, its services and its rendered templates. `try` reads a line of JSON for each text and
// says whether any job can carry it (try.go). All end with 2 when they can't run.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// errBad says that what is wrong has been printed.
var errBad = fmt.Errorf("there are bad jobs")

func main() {
	err := run(os.Args[1:], os.Stdout)
	switch {
	case err == nil:
	case err == errBad:
		os.Exit(1)
	default:
		fmt.Fprintf(os.Stderr, "nomad-check: %v\n", err)
		os.Exit(2)
	}
}

func run(args []string, out io.Writer) error {
	mode := "check"
	if len(args) > 0 && slices.Contains([]string{"check", "env", "try"}, args[0]) {
		mode, args = args[0], args[1:]
	}
	flags := flag.NewFlagSet("nomad-check "+mode, flag.ContinueOnError)
	var allowed, variables textList
	keys := flags.String("kv", "", "what Consul's keys hold: a `file` for 'consul kv import'")
	flags.Var(&allowed, "allow-warning", "a warning with this `text` is no failure (may be repeated)")
	flags.Var(&variables, "var", "a variable of the jobs, `NAME=VALUE` (may be repeated)")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if mode == "try" {
		os.Clearenv()
		return answer(os.Stdin, out)
	}
	if flags.NArg() == 0 {
		return fmt.Errorf("name the files to read")
	}
	consul, err := readKeys(*keys)
	if err != nil {
		return err
	}
	// Templates can read the environment of the agent, and that is not this one.
	os.Clearenv()
	jobs, err := readAll(flags.Args(), variables)
	if err != nil {
		return err
	}
	for _, j := range jobs {
		j.examine(allowed)
	}
	node := client{consul: consul}
	for _, j := range jobs {
		j.records = node.start(j)
	}
	checkTogether(jobs)
	if mode == "env" {
		if err := printRecords(out, jobs); err != nil {
			return err
		}
		out = os.Stderr
	}
	bad := report(out, jobs)
	if mode == "check" {
		fmt.Fprintf(out, "%d jobs, %d bad\n", len(jobs), bad)
	}
	if bad > 0 {
		return errBad
	}
	return nil
}

// printRecords prints one line of JSON for each task of each allocation.
func printRecords(out io.Writer, jobs []*job) error {
	lines := json.NewEncoder(out)
	lines.SetEscapeHTML(false)
	for _, j := range jobs {
		for _, record := range j.records {
			if err := lines.Encode(record); err != nil {
				return err
			}
		}
	}
	return nil
}

// report prints what is wrong, one line a job, and counts the lines.
func report(out io.Writer, jobs []*job) int {
	bad := 0
	for _, j := range jobs {
		if len(j.problems) == 0 {
			continue
		}
		bad++
		fmt.Fprintf(out, "%s: %s\n", j, oneLine(strings.Join(unique(j.problems), "; ")))
	}
	return bad
}

func oneLine(text string) string {
	return strings.Join(strings.Fields(text), " ")
}

// unique keeps the first of equal texts: allocations tend to share their problems.
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

// textList is a flag that may be given more than once.
type textList []string

func (l *textList) String() string     { return strings.Join(*l, ", ") }
func (l *textList) Set(s string) error { *l = append(*l, s); return nil }
