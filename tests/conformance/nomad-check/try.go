package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// question is a text that should get somewhere.
type question struct {
	// Place is env, word, label or file.
	Place string `json:"place"`
	// Name is that of a variable, or of a label.
	Name  string `json:"name"`
	Value string `json:"value"`
}

// verdict is whether it does.
type verdict struct {
	Carried bool `json:"carried"`
	// How is the spelling that gets it there, Why what became of the last one that does not.
	How string `json:"how"`
	Why string `json:"why"`
}

// answer reads questions and writes a verdict for each.
func answer(in io.Reader, out io.Writer) error {
	questions, verdicts := json.NewDecoder(bufio.NewReader(in)), json.NewEncoder(out)
	for {
		var q question
		err := questions.Decode(&q)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := verdicts.Encode(q.try()); err != nil {
			return err
		}
	}
}

// try asks every spelling.
func (q question) try() verdict {
	v := verdict{Why: "no spelling is known"}
	for _, s := range q.spellings() {
		how := s.how
		got, err := q.carry(s.lines)
		switch {
		case err != nil:
			v.Why = fmt.Sprintf("%s: %v", how, err)
		case got != q.Value:
			v.Why = fmt.Sprintf("%s: got %.80q", how, got)
		default:
			return verdict{Carried: true, How: how}
		}
	}
	return v
}

// spelling is what a task could have in it.
type spelling struct{ how, lines string }

// spellings are what a careful hand would write.
func (q question) spellings() []spelling {
	name := q.literal(q.Name, false, false)
	var all []spelling
	add := func(how, format string, args ...any) {
		all = append(all, spelling{how, fmt.Sprintf(format, args...)})
	}
	// Each with what Nomad would replace taken apart or not, and with what it would compose.
	for _, apart := range []bool{false, true} {
		for _, composed := range []bool{false, true} {
			how := fmt.Sprintf("apart %t, composed %t", apart, composed)
			value := q.literal(q.Value, apart, composed)
			twice := q.literal(q.literalText(q.Value), false, composed)
			switch q.Place {
			case "env":
				add("env, "+how, "env = { %s = %s }\nconfig { image = \"x\" }", name, value)
			case "word":
				add("args, "+how, "config {\n image = \"x\"\n args = [%s]\n}", value)
				add("args twice, "+how, "config {\n image = \"x\"\n args = [%s]\n}", twice)
			case "label":
				add("labels, "+how, "config {\n image = \"x\"\n labels = { %s = %s }\n}", name, value)
				add("labels twice, "+how, "config {\n image = \"x\"\n labels = { %s = %s }\n}", name, twice)
			}
		}
	}
	encoded := base64.StdEncoding.EncodeToString([]byte(q.Value))
	switch q.Place {
	case "env":
		data := q.literal(q.Name+`={{ "`+encoded+`" | base64Decode | toJSON }}`+"\n", false, false)
		add("template", "template {\n destination = \"local/v\"\n env = true\n data = %s\n}\nconfig { image = \"x\" }", data)
	case "file":
		data := q.literal(`{{ "`+encoded+`" | base64Decode }}`, false, false)
		add("template", "template {\n destination = \"local/v\"\n data = %s\n}\nconfig { image = \"x\" }", data)
	}
	return all
}

// literalText escapes for the second reading of the driver's options.
func (q question) literalText(text string) string {
	return strings.NewReplacer("${", "$${", "%{", "%%{").Replace(text)
}

// literal is a text in quotes. Apart, each `$` before a brace comes from a variable; with composed,
// characters that the parser would join have an empty variable between them.
func (q question) literal(text string, apart, composed bool) string {
	var out strings.Builder
	out.WriteByte('"')
	runes := []rune(text)
	for i, r := range runes {
		before := i+1 < len(runes) && runes[i+1] == '{'
		switch {
		case r == '$' && before && apart:
			out.WriteString("$${NOMAD_META_dollar}")
		case (r == '$' || r == '%') && before:
			out.WriteRune(r)
			out.WriteRune(r)
		case r == '"' || r == '\\':
			out.WriteByte('\\')
			out.WriteRune(r)
		case r == '\n':
			out.WriteString(`\n`)
		case r == '\r':
			out.WriteString(`\r`)
		case r == '\t':
			out.WriteString(`\t`)
		case r < 0x20 || r >= 0x7f && r < 0x10000:
			fmt.Fprintf(&out, `\u%04x`, r)
		case r >= 0x10000:
			fmt.Fprintf(&out, `\U%08x`, r)
		default:
			out.WriteRune(r)
		}
		if composed && r >= 0x7f {
			out.WriteString("$${NOMAD_META_empty}")
		}
	}
	out.WriteByte('"')
	return out.String()
}

// carry gives what the task gets.
func (q question) carry(lines string) (string, error) {
	source := fmt.Sprintf(`job "j" {
  meta = { dollar = "$", empty = "" }
  group "g" {
    task "t" {
      driver = "docker"
      %s
    }
  }
}
`, lines)
	j := read("try", []byte(source), nil)
	if j.parsed == nil {
		return "", fmt.Errorf("%s", strings.Join(j.problems, "; "))
	}
	for _, text := range texts(j.parsed.Validate()) {
		j.bad("%s", text)
	}
	records := client{}.start(j)
	if len(j.problems) > 0 {
		return "", fmt.Errorf("%s", strings.Join(j.problems, "; "))
	}
	if len(records) != 1 {
		return "", fmt.Errorf("there are %d tasks", len(records))
	}
	got, found := "", false
	switch r := records[0]; q.Place {
	case "env":
		got, found = r.Environment[q.Name]
	case "word":
		if words, ok := r.Config["args"].([]any); ok && len(words) == 1 {
			got, found = words[0].(string)
		}
	case "label":
		list, _ := r.Config["labels"].([]any)
		for _, set := range list {
			if labels, ok := set.(map[string]any); ok {
				got, found = labels[q.Name].(string)
			}
		}
	case "file":
		for _, t := range r.Templates {
			got, found = t.Data, true
			if t.Binary != "" {
				bytes, err := base64.StdEncoding.DecodeString(t.Binary)
				got, found = string(bytes), err == nil
			}
		}
	}
	if !found {
		return "", fmt.Errorf("it is not there")
	}
	return got, nil
}
