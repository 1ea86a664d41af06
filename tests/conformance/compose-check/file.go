package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/sirupsen/logrus"
)

// file is one Compose file, as far as Docker Compose could read it.
type file struct {
	path string
	// records are what the containers of its services get.
	records  []record
	problems []string
}

func (f *file) bad(format string, args ...any) {
	f.problems = append(f.problems, fmt.Sprintf(format, args...))
}

// warnings are what the loader has said since the last reading; it only logs them.
var warnings logged

type logged []string

func (l *logged) Levels() []logrus.Level {
	return []logrus.Level{logrus.WarnLevel, logrus.ErrorLevel}
}

func (l *logged) Fire(entry *logrus.Entry) error {
	*l = append(*l, entry.Message)
	return nil
}

func captureWarnings() {
	logrus.SetOutput(io.Discard)
	logrus.AddHook(&warnings)
}

// load reads a Compose file as `docker compose --profile '*' config` does: the steps of
// cli.ProjectOptions.LoadProject with the options of Docker Compose's ProjectOptions.ToProject. What
// that does afterwards only leaves out services that aren't asked for.
func load(path string, source []byte, environment map[string]string) *file {
	f := &file{path: path}
	absolute, err := filepath.Abs(path)
	if err != nil {
		f.bad("%v", err)
		return f
	}
	folder := filepath.Dir(absolute)
	details := types.ConfigDetails{
		ConfigFiles: []types.ConfigFile{{Filename: absolute, Content: source}},
		WorkingDir:  folder,
		// The loader adds the project's name.
		Environment: maps.Clone(environment),
	}
	if details.Environment == nil {
		details.Environment = types.Mapping{}
	}
	warnings = nil
	project, err := loader.LoadWithContext(context.Background(), details,
		loader.WithDiscardEnvFiles,
		loader.WithProfiles([]string{"*"}),
		func(o *loader.Options) { o.SetProjectName(loader.NormalizeProjectName(filepath.Base(folder)), false) },
	)
	for _, text := range warnings {
		f.bad("warning: %s", text)
	}
	if err != nil {
		f.bad("%v", err)
		return f
	}
	for _, name := range slices.Sorted(maps.Keys(project.Services)) {
		f.records = append(f.records, creation{f, project, project.Services[name]}.create())
	}
	return f
}
