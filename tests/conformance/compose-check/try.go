package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"
)

// question asks whether a Compose file can carry a text to a container.
type question struct {
	// Place is env, label, word, file or health.
	Place string `json:"place"`
	// Name is that of a variable or label, or the path of a file; words have none.
	Name  string `json:"name"`
	Value string `json:"value"`
	// Times is how often the value is repeated, for what is long; 0 is once.
	Times int `json:"times"`
}

type reply struct {
	Carried bool `json:"carried"`
	// How is the spelling that carries it.
	How string `json:"how"`
	// Why is what came of each spelling when none does.
	Why string `json:"why"`
}

// answer reads questions until there are no more. Each is answered before the next is read.
func answer(in io.Reader, out io.Writer) error {
	questions, replies := json.NewDecoder(in), json.NewEncoder(out)
	replies.SetEscapeHTML(false)
	for {
		var q question
		if err := questions.Decode(&q); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		q.Value = strings.Repeat(q.Value, max(q.Times, 1))
		r, err := q.try()
		if err != nil {
			return err
		}
		if err := replies.Encode(r); err != nil {
			return err
		}
	}
}

// spelling is one way to write a question's text.
type spelling struct {
	name string
	// service has the lines of the service below `services`, rest what is beside that.
	service, rest string
}

// try asks the loader about every spelling.
func (q question) try() (reply, error) {
	spellings, err := q.spellings()
	if err != nil {
		return reply{}, err
	}
	if why := q.impossible(); why != "" {
		return reply{Why: why}, nil
	}
	var whys []string
	for _, s := range spellings {
		source := "name: try\nservices:\n  s:\n    image: i\n" + s.service + s.rest
		f := load("/try/compose.yaml", []byte(source), nil)
		why := q.differs(f)
		if why == "" {
			return reply{Carried: true, How: s.name}, nil
		}
		whys = append(whys, s.name+": "+why)
	}
	return reply{Why: strings.Join(whys, "; ")}, nil
}

// impossible says why no container can have the text, whoever starts it.
func (q question) impossible() string {
	given := q.Value
	switch q.Place {
	case "env":
		if q.Name == "" || strings.Contains(q.Name, "=") {
			return "this can't be the name of a variable"
		}
		given = q.Name + "=" + q.Value
	case "label", "file":
		given = ""
	}
	switch {
	case strings.Contains(q.Name+q.Value, "\x00"):
		return "there is a NUL in it"
	case len(given) >= longestText:
		return "it is longer than a process can be given"
	}
	return ""
}

// spellings are the ways that there are for the place. Names in a mapping are not interpolated; all
// values and the items of lists are.
func (q question) spellings() ([]spelling, error) {
	switch q.Place {
	case "env":
		return q.pairs("environment"), nil
	case "label":
		return q.pairs("labels"), nil
	case "word":
		return []spelling{{name: "list", service: "    command:\n      - " + quoted(escaped(q.Value)) + "\n"}}, nil
	case "health":
		return []spelling{{name: "list", service: "    healthcheck:\n      test:\n        - CMD\n        - " + quoted(escaped(q.Value)) + "\n"}}, nil
	case "file":
		return q.configs(), nil
	}
	return nil, fmt.Errorf("there is no place %q", q.Place)
}

func (q question) pairs(field string) []spelling {
	return []spelling{
		// Without the question mark a name can't be longer than 1024 characters.
		{name: "mapping", service: fmt.Sprintf("    %s:\n      ? %s\n      : %s\n", field, quoted(q.Name), quoted(escaped(q.Value)))},
		{name: "list", service: fmt.Sprintf("    %s:\n      - %s\n", field, quoted(escaped(q.Name+"="+q.Value)))},
	}
}

func (q question) configs() []spelling {
	service := "    configs:\n      - source: c\n        target: " + quoted(escaped(q.Name)) + "\n"
	spellings := []spelling{{name: "content", service: service, rest: "configs:\n  c:\n    content: " + quoted(escaped(q.Value)) + "\n"}}
	if q.Value == "" {
		// No content is none at all, but there is a file that is empty on every host.
		spellings = append(spellings, spelling{name: "/dev/null", service: service, rest: "configs:\n  c:\n    file: /dev/null\n"})
	}
	return spellings
}

// differs says what is wrong with what the container gets.
func (q question) differs(f *file) string {
	if len(f.problems) > 0 {
		return shown(strings.Join(f.problems, "; "))
	}
	got := f.records[0]
	switch q.Place {
	case "env":
		return different(got.Environment, q.Name, q.Value)
	case "label":
		return different(got.Labels, q.Name, q.Value)
	case "file":
		// However the path is written, it is one file.
		return different(got.Files, path.Join("/", q.Name), q.Value)
	case "health":
		return differentWords(got.Health, "CMD", q.Value)
	}
	return differentWords(got.Command, q.Value)
}

func different(got map[string]string, name, value string) string {
	if maps.Equal(got, map[string]string{name: value}) {
		return ""
	}
	return "got " + shown(fmt.Sprintf("%q", got))
}

func differentWords(got []string, wanted ...string) string {
	if slices.Equal(got, wanted) {
		return ""
	}
	return "got " + shown(fmt.Sprintf("%q", got))
}

// shown is the beginning of a text: the whole of it can be long.
func shown(text string) string {
	const enough = 300
	if len(text) > enough {
		return text[:enough] + "…"
	}
	return text
}

// escaped keeps dollars from interpolation.
func escaped(text string) string { return strings.ReplaceAll(text, "$", "$$") }

// quoted writes YAML's double quotes, with an escape for all that isn't printable ASCII. Those of
// JSON are not enough: YAML has no surrogates.
func quoted(text string) string {
	var out strings.Builder
	out.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			out.WriteByte('\\')
			out.WriteRune(r)
		case r >= ' ' && r <= '~':
			out.WriteRune(r)
		case r <= 0xffff:
			fmt.Fprintf(&out, `\u%04x`, r)
		default:
			fmt.Fprintf(&out, `\U%08x`, r)
		}
	}
	out.WriteByte('"')
	return out.String()
}
