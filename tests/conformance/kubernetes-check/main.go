// Kubernetes-check judges manifests with Kubernetes' own code, mostly without a server: what a server
// refuses or warns about when it creates the objects, what the Pod Security level of the namespace
// forbids, and what only shows when a deployment doesn't come up, because one object names another
// that isn't there.
//
//	kubernetes-check [check] [-level L] [-version V] [-namespace N] [-allow-warning TEXT] PATH...
//	kubernetes-check env [-namespace N] PATH...
//	kubernetes-check same [-namespace N] PATH PATH
//	kubernetes-check server -at FOLDER [-namespace N] PATH...
//	kubernetes-check try [-version V]
//
// A PATH is a YAML file, or a folder whose *.yaml files are read. All of them are one deployment.
//
// `check` prints a line for each bad object and ends with 1 when there is one. `env` prints what the
// processes get: for each container of each replica one line of JSON with its environment, command,
// arguments and mounted files, after the kubelet's own expansions. `same` prints the objects that two
// paths don't have alike, and ends with 1 when there are some. `server` asks a real server, that of
// tests/conformance/kubernetes-apiserver with this folder, what it would say to the objects: it
// prints a line for each that is refused, warned of or changed, and ends with 1 when there is one. `try`
// reads a line of JSON for each text and says whether any manifest can carry it (try.go). All end with
// 2 when they can't run.
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
var errBad = fmt.Errorf("there are bad objects")

func main() {
	err := run(os.Args[1:], os.Stdout)
	switch {
	case err == nil:
	case err == errBad:
		os.Exit(1)
	default:
		fmt.Fprintf(os.Stderr, "kubernetes-check: %v\n", err)
		os.Exit(2)
	}
}

func run(args []string, out io.Writer) error {
	mode := "check"
	if len(args) > 0 && slices.Contains([]string{"check", "env", "same", "server", "try"}, args[0]) {
		mode, args = args[0], args[1:]
	}
	flags := flag.NewFlagSet("kubernetes-check "+mode, flag.ContinueOnError)
	var (
		rules     judge
		allowed   textList
		namespace = flags.String("namespace", "default", "where objects are that name no namespace")
		level     = flags.String("level", "", "Pod Security `level`: privileged, baseline or restricted (default: the one that the Namespace enforces, else restricted)")
		folder    = flags.String("at", "", "the `folder` of a running server")
		version   = flags.String("version", "", "the oldest Kubernetes `version` that the manifests are made for (default: the one of this program)")
	)
	flags.Var(&allowed, "allow-warning", "a warning with this `text` is no failure (may be repeated)")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if mode == "try" {
		return answer(*version, os.Stdin, out)
	}
	if flags.NArg() == 0 {
		return fmt.Errorf("name the files to read")
	}
	if mode == "same" {
		return compare(out, flags.Args(), *namespace)
	}
	documents, err := readAll(flags.Args())
	if err != nil {
		return err
	}
	if mode == "server" {
		return askServer(out, *folder, documents, *namespace)
	}
	if err := rules.configure(*level, *version, allowed); err != nil {
		return err
	}
	found := decodeAll(documents, *namespace)
	if mode == "env" {
		return printContainers(out, found)
	}
	return rules.report(out, found)
}

// compare prints what differs between the manifests of two paths.
func compare(out io.Writer, paths []string, namespace string) error {
	if len(paths) != 2 {
		return fmt.Errorf("name two paths to compare")
	}
	var found []*manifests
	for _, path := range paths {
		documents, err := readAll([]string{path})
		if err != nil {
			return err
		}
		found = append(found, decodeAll(documents, namespace))
	}
	return printDifferent(out, found[0], found[1])
}

// report prints what is wrong, one line an object.
func (j *judge) report(out io.Writer, d *manifests) error {
	for _, o := range d.objects {
		if !o.undecoded() {
			j.examine(d, o)
		}
	}
	checkReferences(d)
	bad := 0
	for _, o := range d.objects {
		if len(o.problems) == 0 {
			continue
		}
		bad++
		fmt.Fprintf(out, "%s: %s\n", o, oneLine(strings.Join(o.problems, "; ")))
	}
	for _, secret := range d.secretsOutside() {
		fmt.Fprintf(out, "needs %s\n", secret)
	}
	fmt.Fprintf(out, "%d objects, %d bad\n", len(d.objects), bad)
	if bad > 0 {
		return errBad
	}
	return nil
}

// printContainers prints one line of JSON for each container of each replica.
func printContainers(out io.Writer, d *manifests) error {
	lines := json.NewEncoder(out)
	lines.SetEscapeHTML(false)
	for _, o := range d.objects {
		for _, p := range podsOf(o) {
			for _, c := range containersOf(&p.pod) {
				record, problems := d.resolve(p, c)
				o.problems = append(o.problems, problems...)
				if err := lines.Encode(record); err != nil {
					return err
				}
			}
		}
	}
	bad := false
	for _, o := range d.objects {
		if len(o.problems) > 0 {
			bad = true
			fmt.Fprintf(os.Stderr, "%s: %s\n", o, oneLine(strings.Join(unique(o.problems), "; ")))
		}
	}
	if bad {
		return errBad
	}
	return nil
}

func oneLine(text string) string {
	return strings.Join(strings.Fields(text), " ")
}

// unique keeps the first of equal texts: replicas tend to share their problems.
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
