package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/go-multierror"
	"github.com/hashicorp/nomad/jobspec2"
	"github.com/hashicorp/nomad/nomad/structs"
)

// job is one file, as far as Nomad could read it.
type job struct {
	path   string
	source []byte
	// parsed is nil when the file can't be read.
	parsed *structs.Job
	// records are what its tasks get.
	records  []record
	problems []string
}

func (j *job) String() string {
	if j.parsed == nil {
		return j.path
	}
	return fmt.Sprintf("%s job/%s", j.path, j.parsed.ID)
}

func (j *job) bad(format string, args ...any) {
	j.problems = append(j.problems, fmt.Sprintf(format, args...))
}

// readAll reads jobs, and the *.hcl files below folders.
func readAll(paths, variables []string) ([]*job, error) {
	var all []*job
	for _, root := range paths {
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			if path != root && filepath.Ext(path) != ".hcl" {
				return nil
			}
			source, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			all = append(all, read(path, source, variables))
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("there is no job in %q", paths)
	}
	return all, nil
}

func read(path string, source []byte, variables []string) *job {
	j := &job{path: path, source: source}
	parsed, err := parse(path, source, variables)
	if err != nil {
		j.bad("%s", strings.Join(texts(err), "; "))
		return j
	}
	j.parsed = parsed
	return j
}

// parse reads a job as the command line does and makes of it what a server stores. The function of
// Nomad for the latter is part of its whole agent; both forms of a job have the same JSON.
func parse(path string, source []byte, variables []string) (*structs.Job, error) {
	written, err := jobspec2.ParseWithConfig(&jobspec2.ParseConfig{
		Path:    path,
		Body:    source,
		ArgVars: variables,
		Strict:  true,
	})
	if err != nil {
		return nil, err
	}
	written.Canonicalize()
	text, err := json.Marshal(written)
	if err != nil {
		return nil, err
	}
	stored := &structs.Job{}
	if err := json.Unmarshal(text, stored); err != nil {
		return nil, err
	}
	// The groups have it; of the job's own a server keeps no more than this.
	stored.Update = structs.UpdateStrategy{Stagger: stored.Update.Stagger, MaxParallel: stored.Update.MaxParallel}
	stored.Canonicalize()
	return stored, nil
}

// examine asks Nomad about the job as a server does before it takes it.
func (j *job) examine(allowed []string) {
	j.checkSource()
	if j.parsed == nil {
		return
	}
	for _, text := range texts(j.parsed.Validate()) {
		j.bad("%s", text)
	}
	for _, text := range texts(j.parsed.Warnings()) {
		if !containsAny(text, allowed) {
			j.bad("warning: %s", text)
		}
	}
}

// checkTogether wants each job once.
func checkTogether(jobs []*job) {
	first := map[string]string{}
	for _, j := range jobs {
		if j.parsed == nil {
			continue
		}
		key := j.parsed.Namespace + "/" + j.parsed.ID
		if path, taken := first[key]; taken {
			j.bad("the same job is in %s", path)
			continue
		}
		first[key] = j.path
	}
}

func containsAny(text string, parts []string) bool {
	for _, part := range parts {
		if strings.Contains(text, part) {
			return true
		}
	}
	return false
}

// texts takes a list of errors apart.
func texts(err error) []string {
	if err == nil {
		return nil
	}
	var list *multierror.Error
	if !errors.As(err, &list) {
		return []string{err.Error()}
	}
	var all []string
	for _, one := range list.Errors {
		all = append(all, one.Error())
	}
	return all
}
