package main

import (
	"encoding/json"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hcldec"
	"github.com/hashicorp/nomad/client/taskenv"
	"github.com/hashicorp/nomad/drivers/docker"
	"github.com/hashicorp/nomad/helper/pluginutils/hclspecutils"
	"github.com/hashicorp/nomad/helper/pluginutils/hclutils"
	"github.com/hashicorp/nomad/plugins/drivers"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

// dockerOptions is the schema by which the Docker driver reads its options.
var dockerOptions = readDockerOptions()

func readDockerOptions() hcldec.Spec {
	schema, err := (&docker.Driver{}).TaskConfigSchema()
	if err != nil {
		return nil
	}
	spec, diagnostics := hclspecutils.Convert(schema)
	if diagnostics.HasErrors() {
		return nil
	}
	return spec
}

// containerName is what Docker takes; the driver calls a container after its task.
var containerName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.-]*$`)

// dockerConfig reads the options of the driver the second time, with the task's environment as
// variables. An option that the driver doesn't know, or a reference to nothing, fails only here.
func (r taskRun) dockerConfig(env *taskenv.TaskEnv) (map[string]any, docker.TaskConfig) {
	var options docker.TaskConfig
	if dockerOptions == nil {
		r.bad("the driver's schema can't be read")
		return nil, options
	}
	if !containerName.MatchString(r.task.Name) {
		r.bad("Docker can't call a container so")
	}
	// The second result is about variables that can't be referred to, as dotted ones in part.
	variables, _, err := env.AllValues()
	if err != nil {
		r.bad("config: %v", err)
		return nil, options
	}
	value, diagnostics, errs := hclutils.ParseHclInterface(r.task.Config, dockerOptions, variables)
	for _, err := range errs {
		r.bad("config: %v", err)
	}
	if diagnostics.HasErrors() {
		if len(errs) == 0 {
			r.bad("config: %v", diagnostics)
		}
		return nil, options
	}
	handed := &drivers.TaskConfig{}
	if err := handed.EncodeDriverConfig(value); err != nil {
		r.bad("config: %v", err)
	} else if err := handed.DecodeDriverConfig(&options); err != nil {
		r.bad("config: %v", err)
	}
	text, err := ctyjson.Marshal(value, value.Type())
	if err != nil {
		r.bad("config: %v", err)
		return nil, options
	}
	var set map[string]any
	if err := json.Unmarshal(text, &set); err != nil {
		r.bad("config: %v", err)
		return nil, options
	}
	return withoutNothing(set), options
}

// checkDocker looks for what the driver, or Docker after it, refuses when the task starts.
func (r taskRun) checkDocker(options docker.TaskConfig) {
	var labels []string
	for _, port := range r.alloc.AllocatedResources.Shared.Ports {
		labels = append(labels, port.Label)
	}
	for _, label := range options.Ports {
		if !slices.Contains(labels, label) {
			r.bad("config: ports: the group's network has no port %s", label)
		}
	}
	for i, text := range slices.Concat(options.Entrypoint, []string{options.Command}, options.Args) {
		if len(text) >= longestText || strings.Contains(text, "\x00") {
			r.bad("config: no process can be given word %d of the command", i)
		}
	}
	targets := map[string]bool{}
	take := func(target string) {
		if targets[target] {
			r.bad("config: two mounts at %s", target)
		}
		targets[target] = true
	}
	for _, mount := range options.Mounts {
		take(mount.Target)
	}
	for _, mount := range r.task.VolumeMounts {
		take(mount.Destination)
	}
}

// Every task has these folders in its own.
var ownFolders = []string{taskFolder, taskFolder + "/local", taskFolder + "/secrets", taskFolder + "/tmp", allocFolder + "/alloc"}

// mounted finds the templates that a container sees, by their paths there: those in the folders
// that every container gets, and those that are mounted elsewhere.
func (r taskRun) mounted(options docker.TaskConfig, templates []template) map[string]template {
	seen := map[string]template{}
	for _, t := range templates {
		for _, own := range ownFolders[1:] {
			if strings.HasPrefix(t.onNode, own+"/") {
				seen[t.Destination] = t
			}
		}
	}
	// Docker makes what isn't there for a `volumes`, and fails for a `mount`. In the folder where
	// templates go an empty directory is none that anybody wanted.
	mount := func(source, target string, made bool) {
		if path.IsAbs(source) {
			return // the node's own
		}
		source = path.Join(taskFolder, source)
		found := slices.Contains(ownFolders, source) || len(r.task.Artifacts) > 0
		if made && strings.HasPrefix(source, allocFolder+"/alloc/") {
			found = true
		}
		for _, t := range templates {
			below, inside := strings.CutPrefix(t.onNode, source)
			if inside && (below == "" || below[0] == '/') {
				found = true
				seen[path.Join(target, below)] = t
			}
		}
		if !found {
			r.bad("config: mount at %s: nothing makes %s", target, source)
		}
	}
	for _, m := range options.Mounts {
		if m.Type == "bind" {
			mount(m.Source, m.Target, false)
		}
	}
	for _, text := range options.Volumes {
		if parts := strings.Split(text, ":"); len(parts) > 1 {
			mount(parts[0], parts[1], true)
		}
	}
	return seen
}

// withoutNothing drops options that aren't set, in nested blocks too.
func withoutNothing(options map[string]any) map[string]any {
	for name, value := range options {
		switch value := value.(type) {
		case nil:
			delete(options, name)
		case map[string]any:
			withoutNothing(value)
		case []any:
			if len(value) == 0 {
				delete(options, name)
			}
			for _, one := range value {
				if block, ok := one.(map[string]any); ok {
					withoutNothing(block)
				}
			}
		}
	}
	return options
}
