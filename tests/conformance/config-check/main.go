// Config-check is the part of the readers of config files that is in Go.
//
//	config-check envtoconf FOLDER
//	config-check read
//
// `envtoconf` makes the config files of its environment as envtoconf 1.2.2 does in the flokkr images,
// written anew. `read` takes lines of a format and a path from its standard input, like the program in
// Java beside it: `env` is read by the Docker CLI, `ini` by what most programs in Go read such files
// with.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/docker/cli/pkg/kvfile"
	"gopkg.in/ini.v1"
	"gopkg.in/yaml.v2"
)

func main() {
	var err error
	switch {
	case len(os.Args) == 3 && os.Args[1] == "envtoconf":
		err = envtoconf(os.Args[2])
	case len(os.Args) == 2 && os.Args[1] == "read":
		err = readAll()
	default:
		err = fmt.Errorf("what is to be done?")
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "config-check: %v\n", err)
		os.Exit(2)
	}
}

// A file that the environment makes.
type file struct {
	format  string
	entries map[string]string
}

var formats = map[string]func(map[string]string) (string, error){
	"xml":        xml,
	"properties": lines("%s: %s\n"),
	"cfg":        lines("%s=%s\n"),
	"env":        lines("%s=%s\n"),
	"sh":         lines("export %s=%s\n"),
	"conf":       lines("export %s=%s\n"),
	"yaml":       tree,
	"yml":        tree,
}

func envtoconf(folder string) error {
	files := map[string]file{}
	for _, variable := range os.Environ() {
		name, value, _ := strings.Cut(variable, "=")
		pieces := strings.FieldsFunc(name, func(c rune) bool { return c == '.' || c == '_' })
		if len(pieces) < 2 {
			continue
		}
		base, extension, cut := pieces[0], pieces[1], len(pieces[0])+len(pieces[1])+2
		format := extension
		if words := strings.FieldsFunc(extension, func(c rune) bool { return c == '!' }); strings.Contains(extension, "!") {
			// With nothing before or behind the sign it panics, and so does this.
			extension, format = words[0], words[1]
			cut = len(base) + len(extension) + len(format) + 3
			_ = name[cut:]
		}
		key := ""
		if cut < len(name) {
			key = strings.TrimSpace(name[cut:])
		}
		path := strings.ToLower(base) + "." + strings.ToLower(extension)
		if word, there := os.LookupEnv(strings.ToUpper(path)); there {
			format = word
		}
		format = strings.ToLower(format)
		if formats[format] == nil || key == "" {
			continue
		}
		if files[path].entries == nil {
			files[path] = file{format: format, entries: map[string]string{}}
		}
		files[path].entries[key] = value
	}
	for path, made := range files {
		text, err := formats[made.format](made.entries)
		if err != nil {
			return err
		}
		// It says so, and goes on.
		if err := os.WriteFile(filepath.Join(folder, path), []byte(text), 0o644); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
	return nil
}

func lines(line string) func(map[string]string) (string, error) {
	return func(entries map[string]string) (string, error) {
		var text strings.Builder
		for key, value := range entries {
			fmt.Fprintf(&text, line, key, value)
		}
		return text.String(), nil
	}
}

func xml(entries map[string]string) (string, error) {
	body, err := lines("<property><name>%s</name><value>%s</value></property>\n")(entries)
	return "<configuration>\n" + body + "</configuration>", err
}

// tree puts the keys' pieces into maps and lists, and has them written by the library of envtoconf.
func tree(entries map[string]string) (string, error) {
	root := map[string]any{}
	for key, value := range entries {
		if key[0] >= '0' && key[0] <= '9' {
			continue
		}
		if _, err := grown(root, strings.Split(key, "."), value); err != nil {
			return "", fmt.Errorf("%s: %w", key, err)
		}
	}
	text, err := yaml.Marshal(filled(root))
	return string(text), err
}

// grown is the node with the value at the path below it.
func grown(node any, path []string, value string) (any, error) {
	if len(path) == 0 {
		if node != nil {
			return nil, fmt.Errorf("it is there already")
		}
		return value, nil
	}
	if index, err := strconv.Atoi(path[0]); err == nil {
		list, fits := node.([]any)
		if (node != nil && !fits) || index < 1 {
			return nil, fmt.Errorf("it has no place")
		}
		for len(list) < index {
			list = append(list, nil)
		}
		below, err := grown(list[index-1], path[1:], value)
		list[index-1] = below
		return list, err
	}
	if node == nil {
		node = map[string]any{}
	}
	children, fits := node.(map[string]any)
	if !fits {
		return nil, fmt.Errorf("it has no place")
	}
	below, err := grown(children[path[0]], path[1:], value)
	children[path[0]] = below
	return children, err
}

// filled has an empty map in each hole of a list.
func filled(node any) any {
	switch node := node.(type) {
	case nil:
		return map[string]any{}
	case []any:
		for at := range node {
			node[at] = filled(node[at])
		}
	case map[string]any:
		for key := range node {
			node[key] = filled(node[key])
		}
	}
	return node
}

// An answer about one file.
type answer struct {
	File    string            `json:"file"`
	Entries map[string]string `json:"entries,omitempty"`
	Error   string            `json:"error,omitempty"`
}

func readAll() error {
	out := json.NewEncoder(os.Stdout)
	questions := bufio.NewScanner(os.Stdin)
	for questions.Scan() {
		format, path, _ := strings.Cut(questions.Text(), " ")
		said := answer{File: path}
		var err error
		switch format {
		case "env":
			said.Entries, err = variables(path)
		case "ini":
			said.Entries, err = sections(path)
		default:
			err = fmt.Errorf("nothing reads %s", format)
		}
		if err != nil {
			said.Error = err.Error()
		}
		if err := out.Encode(said); err != nil {
			return err
		}
	}
	return questions.Err()
}

// variables are those that `docker run --env-file` sets.
func variables(path string) (map[string]string, error) {
	pairs, err := kvfile.Parse(path, func(string) (string, bool) { return "", false })
	entries := map[string]string{}
	for _, pair := range pairs {
		name, value, _ := strings.Cut(pair, "=")
		entries[name] = value
	}
	return entries, err
}

// sections are the entries of an ini file; a key is behind the name of its section.
func sections(path string) (map[string]string, error) {
	read, err := ini.Load(path)
	if err != nil {
		return nil, err
	}
	entries := map[string]string{}
	for _, section := range read.Sections() {
		prefix := section.Name() + "."
		if section.Name() == ini.DefaultSection {
			prefix = ""
		}
		for _, key := range section.Keys() {
			entries[prefix+key.Name()] = key.Value()
		}
	}
	return entries, nil
}
