package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/consul-template/dependency"
	consultemplate "github.com/hashicorp/consul-template/template"
	"github.com/hashicorp/go-envparse"
	"github.com/hashicorp/nomad/client/taskenv"
	"github.com/hashicorp/nomad/nomad/structs"
)

// template is a rendered file.
type template struct {
	// onNode is the path on the node, Destination the one that a container has in its own folders.
	onNode      string
	Destination string `json:"destination"`
	// Data is the text of the file; Binary the same in base64 where it is no UTF-8.
	Data   string `json:"data"`
	Binary string `json:"binary,omitempty"`
	// Needs are what only a cluster knows; then Data is what the template is without them, and
	// Source the template.
	Needs       []string `json:"needs,omitempty"`
	Source      string   `json:"source,omitempty"`
	Perms       string   `json:"perms"`
	Environment bool     `json:"environment"`
	ChangeMode  string   `json:"changeMode"`
}

// denied are the functions that a client refuses unless it is told otherwise.
var denied = []string{"executeTemplate", "plugin", "writeToFile"}

// readKeys reads what Consul's keys hold from a file for `consul kv import`.
func readKeys(path string) (map[string]string, error) {
	if path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var entries []struct {
		Key string
		// Base64 on paper, as encoding/json has it for bytes.
		Value []byte
	}
	if err := json.Unmarshal(text, &entries); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	keys := map[string]string{}
	for _, entry := range entries {
		if _, twice := keys[entry.Key]; twice {
			return nil, fmt.Errorf("%s: the key %s is there twice", path, entry.Key)
		}
		keys[entry.Key] = string(entry.Value)
	}
	return keys, nil
}

// renderAll renders the templates of the task and takes the variables from those that hold some.
func (r taskRun) renderAll(env *taskenv.TaskEnv) ([]template, map[string]string) {
	templates, variables := []template{}, map[string]string{}
	taken := map[string]bool{}
	for _, t := range r.task.Templates {
		rendered, err := r.render(t, env)
		if err != nil {
			r.bad("template %s: %v", t.DestPath, err)
			continue
		}
		if taken[rendered.Destination] {
			r.bad("template %s: there are two", rendered.Destination)
		}
		taken[rendered.Destination] = true
		templates = append(templates, rendered)
		if !t.Envvars {
			continue
		}
		parsed, err := envparse.Parse(strings.NewReader(rendered.Data))
		if err != nil {
			r.bad("template %s: %v", t.DestPath, err)
		}
		for name, value := range parsed {
			variables[name] = value
		}
	}
	return templates, variables
}

// render renders one template by the engine that Nomad has for it.
func (r taskRun) render(t *structs.Template, env *taskenv.TaskEnv) (template, error) {
	onNode, escapes := env.ClientPath(t.DestPath, true)
	if escapes {
		return template{}, fmt.Errorf("the destination is outside of the allocation")
	}
	destination := strings.TrimPrefix(strings.TrimPrefix(onNode, taskFolder), allocFolder)
	out := template{onNode: onNode, Destination: destination, Perms: t.Perms, Environment: t.Envvars, ChangeMode: t.ChangeMode}
	engine, err := consultemplate.NewTemplate(&consultemplate.NewTemplateInput{
		Contents:         t.EmbeddedTmpl,
		LeftDelim:        t.LeftDelim,
		RightDelim:       t.RightDelim,
		ErrMissingKey:    t.ErrMissingKey,
		FunctionDenylist: denied,
	})
	if err != nil {
		return out, err
	}
	brain, err := r.brain()
	if err != nil {
		return out, err
	}
	var variables []string
	for name, value := range env.All() {
		variables = append(variables, name+"="+value)
	}
	result, err := engine.Execute(&consultemplate.ExecuteInput{Brain: brain, Env: variables})
	if err != nil {
		return out, err
	}
	if utf8.Valid(result.Output) {
		out.Data = string(result.Output)
	} else {
		out.Binary = base64.StdEncoding.EncodeToString(result.Output)
	}
	for _, missing := range result.Missing.List() {
		out.Needs, out.Source = append(out.Needs, missing.String()), t.EmbeddedTmpl
		if _, key := missing.(*dependency.KVGetQuery); key && r.consul != nil {
			r.bad("template %s: nothing sets %s, and the task waits for it", t.DestPath, missing)
		}
	}
	return out, nil
}

// brain is what templates know of the cluster.
func (c client) brain() (*consultemplate.Brain, error) {
	brain := consultemplate.NewBrain()
	for key, value := range c.consul {
		query, err := dependency.NewKVGetQuery(key)
		if err != nil {
			return nil, err
		}
		query.EnableBlocking()
		brain.Remember(query, value)
	}
	return brain, nil
}
