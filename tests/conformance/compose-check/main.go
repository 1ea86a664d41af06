// Compose-check judges Compose files with Docker Compose's own loader, in the oldest version that
// reads what is emitted, and without Docker: what `docker compose config` says of every profile, and
// what Docker Compose refuses or changes later, when it creates the containers.
//
//	compose-check [check] [-env NAME=VALUE] FILE...
//	compose-check env [-env NAME=VALUE] FILE...
//	compose-check try
//
// Every file is a project of its own. Its variables are those of -env, and no others: neither the
// environment nor a file .env is read.
//
// `check` prints a line for each bad file and ends with 1 when there is one; a warning is bad, too.
// `env` prints what the processes get: for each service one line of JSON with its command,
// environment, labels and files. `try` takes lines of JSON with a place, a name and a value, and
// answers each with whether a Compose file can carry them there, however carefully it is written.
// All end with 2 when they can't run.
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
		fmt.Fprintf(os.Stderr, "compose-check: %v\n", err)
		os.Exit(2)
	}
}

func run(args []string, in io.Reader, out io.Writer) error {
	mode := "check"
	if len(args) > 0 && (args[0] == "check" || args[0] == "env" || args[0] == "try") {
		mode, args = args[0], args[1:]
	}
	flags := flag.NewFlagSet("compose-check "+mode, flag.ContinueOnError)
	var variables textList
	flags.Var(&variables, "env", "a variable for the files, `NAME=VALUE` (may be repeated)")
	if err := flags.Parse(args); err != nil {
		return err
	}
	// Parts of the loader look into the environment by themselves.
	os.Clearenv()
	captureWarnings()
	if mode == "try" {
		return answer(in, out)
	}
	if flags.NArg() == 0 {
		return errors.New("name the files to read")
	}
	environment, err := parseVariables(variables)
	if err != nil {
		return err
	}
	var all []*file
	for _, path := range flags.Args() {
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		all = append(all, load(path, source, environment))
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

func parseVariables(texts []string) (map[string]string, error) {
	variables := map[string]string{}
	for _, text := range texts {
		name, value, found := strings.Cut(text, "=")
		if !found || name == "" {
			return nil, fmt.Errorf("-env %s: this is no NAME=VALUE", text)
		}
		variables[name] = value
	}
	return variables, nil
}

// printRecords prints one line of JSON for each service.
func printRecords(out io.Writer, all []*file) error {
	lines := json.NewEncoder(out)
	lines.SetEscapeHTML(false)
	for _, f := range all {
		for _, record := range f.records {
			if err := lines.Encode(record); err != nil {
				return err
			}
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
		fmt.Fprintf(out, "%s: %s\n", f.path, strings.Join(strings.Fields(strings.Join(f.problems, "; ")), " "))
	}
	return bad
}

// textList is a flag that may be given more than once.
type textList []string

func (l *textList) String() string     { return strings.Join(*l, ", ") }
func (l *textList) Set(s string) error { *l = append(*l, s); return nil }
