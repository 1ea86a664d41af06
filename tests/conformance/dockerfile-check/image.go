package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	"github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// file is one Dockerfile, as far as BuildKit could read it.
type file struct {
	path   string
	source []byte
	// record is nil when the file can't be built.
	record   *record
	problems []string
}

func (f *file) bad(format string, args ...any) {
	f.problems = append(f.problems, fmt.Sprintf(format, args...))
}

// record is what the image tells the processes in it.
type record struct {
	File string `json:"file"`
	// Environment has the variables that the Dockerfile sets, with basePath where it refers to PATH.
	Environment map[string]string `json:"environment"`
	Labels      map[string]string `json:"labels"`
	// Entrypoint and Command are null when the Dockerfile has none.
	Entrypoint []string `json:"entrypoint"`
	Command    []string `json:"command"`
	Health     *health  `json:"health"`
	User       string   `json:"user"`
	Workdir    string   `json:"workdir"`
	// Ports are as in `8080/tcp`, sorted.
	Ports []string `json:"ports"`
}

// health has times in seconds; 0 is Docker's own value.
type health struct {
	// Test has the words of the test, the first of which says how it is run.
	Test        []string `json:"test"`
	Interval    float64  `json:"interval"`
	Timeout     float64  `json:"timeout"`
	StartPeriod float64  `json:"startPeriod"`
	// StartInterval is the time between two tests until one is passed.
	StartInterval float64 `json:"startInterval"`
	Retries       int     `json:"retries"`
}

// basePath is what PATH is in every base image.
const basePath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

var platform = ocispecs.Platform{OS: "linux", Architecture: "amd64"}

// anyImage knows every image there may be.
type anyImage struct{}

func (anyImage) ResolveImageConfig(_ context.Context, ref string, _ sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	var image dockerspec.DockerOCIImage
	image.Platform = platform
	image.Config.Env = []string{"PATH=" + basePath}
	image.RootFS.Type = "layers"
	// With no layer at all it would be taken for `scratch`.
	image.RootFS.DiffIDs = []digest.Digest{digest.FromString(ref)}
	config, err := json.Marshal(image)
	return ref, digest.FromBytes(config), config, err
}

func (f *file) options() dockerfile2llb.ConvertOpt {
	source := llb.NewSourceMap(nil, f.path, "Dockerfile", f.source)
	// The linter wants to know how a builder gets the file.
	source.Definition = &llb.Definition{}
	return dockerfile2llb.ConvertOpt{
		SourceMap:      source,
		TargetPlatform: &platform,
		MetaResolver:   anyImage{},
	}
}

// lint asks for all that `docker build --check` says, of every stage.
func (f *file) lint() {
	results, err := dockerfile2llb.DockerfileLint(context.Background(), f.source, f.options())
	if err != nil {
		f.bad("%v", err)
		return
	}
	for _, w := range results.Warnings {
		line := int32(0)
		if ranges := w.Location.GetRanges(); len(ranges) > 0 {
			line = ranges[0].GetStart().GetLine()
		}
		f.bad("line %d: %s: %s", line, w.RuleName, w.Detail)
	}
	if results.Error != nil {
		f.bad("%s", results.Error.Message)
	}
}

// convert makes of the last stage what a builder would run, and keeps the image's configuration.
func (f *file) convert() {
	// BuildKit reads other bytes as the replacement character, without a word.
	if !utf8.Valid(f.source) {
		f.bad("this is no UTF-8")
		return
	}
	ctx := context.Background()
	built, err := dockerfile2llb.Dockerfile2LLB(ctx, f.source, f.options())
	if err != nil {
		f.bad("%v", err)
		return
	}
	if _, err := built.State.Marshal(ctx); err != nil {
		f.bad("%v", err)
		return
	}
	f.record = f.describe(built.Image.Config)
}

func (f *file) describe(config dockerspec.DockerOCIImageConfig) *record {
	out := &record{
		File:        f.path,
		Environment: map[string]string{},
		Labels:      map[string]string{},
		Entrypoint:  config.Entrypoint,
		Command:     config.Cmd,
		User:        config.User,
		Workdir:     config.WorkingDir,
		Ports:       append([]string{}, slices.Sorted(maps.Keys(config.ExposedPorts))...),
	}
	for _, variable := range config.Env {
		if variable == "PATH="+basePath {
			continue
		}
		name, value, _ := strings.Cut(variable, "=")
		out.Environment[name] = value
		f.checkText("environment "+name, variable)
		if name == "" {
			f.bad("environment: this can't be the name of a variable")
		}
	}
	maps.Copy(out.Labels, config.Labels)
	for i, text := range slices.Concat(config.Entrypoint, config.Cmd) {
		f.checkText(fmt.Sprintf("word %d of the command", i), text)
	}
	if check := config.Healthcheck; check != nil {
		out.Health = &health{
			Test:          check.Test,
			Interval:      check.Interval.Seconds(),
			Timeout:       check.Timeout.Seconds(),
			StartPeriod:   check.StartPeriod.Seconds(),
			StartInterval: check.StartInterval.Seconds(),
			Retries:       check.Retries,
		}
		for i, text := range check.Test {
			f.checkText(fmt.Sprintf("word %d of the healthcheck", i), text)
		}
	}
	return out
}

// A process takes no longer text, the end included; a variable with its name and the sign.
const longestText = 131072

// checkText looks for what no process can be started with.
func (f *file) checkText(where, text string) {
	if len(text) >= longestText || strings.Contains(text, "\x00") {
		f.bad("%s: no process can be given this", where)
	}
}
