package main

import (
	"archive/tar"
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/compose-spec/compose-go/v2/consts"
	"github.com/compose-spec/compose-go/v2/types"
)

// record is what every container of one service gets.
type record struct {
	File    string `json:"file"`
	Service string `json:"service"`
	Image   string `json:"image"`
	// Entrypoint and Command replace those of the image, unless they are null.
	Entrypoint  []string          `json:"entrypoint"`
	Command     []string          `json:"command"`
	Environment map[string]string `json:"environment"`
	// Labels are those of the file, without Docker Compose's own.
	Labels   map[string]string `json:"labels"`
	User     string            `json:"user"`
	Hostname string            `json:"hostname"`
	// Files are the configs and secrets where the container sees them; BinaryFiles those that are no
	// UTF-8, in base64: what `!!binary` is for. A file of the host that isn't there is `<file PATH>`.
	Files       map[string]string `json:"files"`
	BinaryFiles map[string]string `json:"binaryFiles,omitempty"`
	// Health has the words of the test, the first of which says how it is run.
	Health   []string `json:"health"`
	Replicas int      `json:"replicas"`
}

// creation is the work on one service. The functions of Docker Compose that are named below are in
// its package pkg/compose, which can't be called without a server.
type creation struct {
	file    *file
	project *types.Project
	service types.ServiceConfig
}

func (c creation) bad(format string, args ...any) {
	c.file.bad("service %s: %s", c.service.Name, fmt.Sprintf(format, args...))
}

// create does what Docker Compose does with the text of a service before it asks Docker for a
// container: getCreateConfigs, then injectSecrets and injectConfigs. By then all interpolation is
// done, and words, variables and labels go on as they are.
func (c creation) create() record {
	out := record{
		File:        c.file.path,
		Service:     c.service.Name,
		Image:       c.service.Image,
		Entrypoint:  c.service.Entrypoint,
		Command:     c.service.Command,
		Environment: map[string]string{},
		Labels:      map[string]string{},
		User:        c.service.User,
		Hostname:    c.service.Hostname,
		Files:       map[string]string{},
		BinaryFiles: map[string]string{},
		Health:      c.health(),
		Replicas:    c.service.GetScale(),
	}
	// ToMobyEnv. A name without a value makes Docker drop what the image has, but the loader has
	// already left out those that no variable is given for.
	for _, name := range slices.Sorted(maps.Keys(c.service.Environment)) {
		value := c.service.Environment[name]
		if value == nil {
			c.bad("environment %s has no value", name)
			continue
		}
		out.Environment[name] = *value
	}
	// mergeLabels puts Docker Compose's own over those of the file.
	for _, name := range slices.Sorted(maps.Keys(c.service.Labels)) {
		if slices.Contains(ownLabels, name) {
			c.bad("label %s is replaced by Docker Compose's own", name)
			continue
		}
		out.Labels[name] = c.service.Labels[name]
	}
	for _, reference := range c.service.Secrets {
		target := reference.Target
		if target == "" {
			target = reference.Source
		}
		if !path.IsAbs(target) {
			target = "/run/secrets/" + target
		}
		c.put(&out, target, types.FileReferenceConfig(reference), types.FileObjectConfig(c.project.Secrets[reference.Source]))
	}
	for _, reference := range c.service.Configs {
		target := reference.Target
		if target == "" {
			target = "/" + reference.Source
		}
		variable := c.project.Configs[reference.Source].Environment
		if value, found := c.project.Environment[variable]; found && value == "" {
			c.bad("%s: the variable %s is empty, and then there is no file", target, variable)
			continue
		}
		c.put(&out, target, types.FileReferenceConfig(reference), types.FileObjectConfig(c.project.Configs[reference.Source]))
	}
	c.checkTexts(out)
	return out
}

// ownLabels are those that ProjectOptions.ToProject, prepareLabels and what updates images give to
// every container.
var ownLabels = []string{
	"com.docker.compose.config-hash",
	"com.docker.compose.container-number",
	"com.docker.compose.depends_on",
	"com.docker.compose.image",
	"com.docker.compose.oneoff",
	"com.docker.compose.project",
	"com.docker.compose.project.config_files",
	"com.docker.compose.project.working_dir",
	"com.docker.compose.replace",
	"com.docker.compose.service",
	"com.docker.compose.version",
}

// health does what ToMobyHealthCheck does.
func (c creation) health() []string {
	check := c.service.HealthCheck
	if check == nil {
		return nil
	}
	if check.StartInterval != nil {
		c.bad("healthcheck: start_interval needs Docker Engine 25")
	}
	if check.Disable {
		return []string{"NONE"}
	}
	return check.Test
}

// put does for one config or secret what buildContainerConfigMounts and buildContainerSecretMounts
// do, or injectConfigs and injectSecrets: the file is mounted where it is one of the host, else it is
// copied into the container.
func (c creation) put(out *record, target string, reference types.FileReferenceConfig, source types.FileObjectConfig) {
	switch {
	case bool(source.External), source.Driver != "", source.TemplateDriver != "":
		c.bad("%s: Docker Compose can't take it from elsewhere", target)
		return
	case reference.UID != "", reference.GID != "", reference.Mode != nil:
		c.bad("warning: %s: uid, gid and mode are not supported, they will be ignored", target)
	}
	content := source.Content
	if source.Environment != "" {
		value, found := c.project.Environment[source.Environment]
		if !found {
			c.bad("%s: the variable %s is not set", target, source.Environment)
			return
		}
		content = value
	}
	seen, err := target, error(nil)
	switch {
	case source.Environment != "", source.Content != "":
		seen, err = copied(target, content)
	case source.File != "":
		seen = path.Clean(target)
		content, err = c.hostFile(source.File)
	default:
		err = errors.New("without content Docker Compose mounts the folder that it runs in")
	}
	if err != nil {
		c.bad("%s: %v", target, err)
		return
	}
	_, text := out.Files[seen]
	_, binary := out.BinaryFiles[seen]
	if text || binary {
		c.bad("%s: two files are there", seen)
	}
	if utf8.ValidString(content) {
		out.Files[seen] = content
	} else {
		out.BinaryFiles[seen] = base64.StdEncoding.EncodeToString([]byte(content))
	}
}

// hostFile reads a file of the host. One that isn't here yet is shown as a note of which it is.
func (c creation) hostFile(name string) (string, error) {
	content, err := os.ReadFile(name)
	if !errors.Is(err, fs.ErrNotExist) {
		return string(content), err
	}
	if beside, err := filepath.Rel(c.project.WorkingDir, name); err == nil {
		name = beside
	}
	return "<file " + name + ">", nil
}

// Linux takes no longer path, the end included, and no longer part of one.
const (
	longestPath = 4096
	longestPart = 255
)

// copied says which file there is after createTar has packed it and Docker has unpacked it.
func copied(target, content string) (string, error) {
	if strings.HasSuffix(target, "/") {
		return "", errors.New("this is no path of a file")
	}
	var packed bytes.Buffer
	writer := tar.NewWriter(&packed)
	if err := writer.WriteHeader(&tar.Header{Name: target, Size: int64(len(content)), Mode: 0o444}); err != nil {
		return "", err
	}
	if _, err := writer.Write([]byte(content)); err != nil {
		return "", err
	}
	if err := writer.Close(); err != nil {
		return "", err
	}
	header, err := tar.NewReader(&packed).Next()
	if err != nil {
		return "", err
	}
	// Docker cleans the path, then takes it from the root of the container.
	clean := path.Clean(header.Name)
	seen := path.Join("/", clean)
	if strings.HasPrefix(clean+"/", "../") || seen == "/" {
		return "", errors.New("this is no path in a container")
	}
	if len(seen) >= longestPath || slices.ContainsFunc(strings.Split(seen, "/"), func(part string) bool { return len(part) > longestPart }) {
		return "", errors.New("the path is too long")
	}
	return seen, nil
}

// A process takes no longer text, the end included; a variable with its name and the sign.
const longestText = 131072

// checkTexts looks for what no process can be started with, and for what JSON can't show.
func (c creation) checkTexts(out record) {
	check := func(where, text string) {
		if len(text) >= longestText || strings.Contains(text, "\x00") {
			c.bad("%s: no process can be given this", where)
		}
		if !utf8.ValidString(text) {
			c.bad("%s: this is no UTF-8", where)
		}
	}
	// The loader takes such a name for an extension of the format, and makes one text of them all.
	lost := func(where string, pairs map[string]string) {
		if strings.HasPrefix(pairs[consts.Extensions], "map[") {
			c.bad("%s: a name with x- before it is lost in a mapping", where)
		}
	}
	lost("environment", out.Environment)
	lost("labels", out.Labels)
	for _, name := range slices.Sorted(maps.Keys(out.Environment)) {
		if name == "" || strings.Contains(name, "=") {
			c.bad("environment: %q can't be the name of a variable", name)
		}
		check("environment "+name, name+"="+out.Environment[name])
	}
	for i, text := range slices.Concat(out.Entrypoint, out.Command) {
		check(fmt.Sprintf("word %d of the command", i), text)
	}
	for i, text := range out.Health {
		check(fmt.Sprintf("word %d of the healthcheck", i), text)
	}
	for _, name := range slices.Sorted(maps.Keys(out.Labels)) {
		if !utf8.ValidString(name) || !utf8.ValidString(out.Labels[name]) {
			c.bad("label %s: this is no UTF-8", name)
		}
	}
}
