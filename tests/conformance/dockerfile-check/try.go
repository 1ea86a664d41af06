package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// question asks whether a Dockerfile can carry a text to a container.
type question struct {
	// Place is env, label, word or health.
	Place string `json:"place"`
	// Name is that of a variable or label; words have none.
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
	// directive stands before everything else.
	directive string
	lines     string
}

// try asks BuildKit about every spelling.
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
		f := &file{source: []byte(s.directive + "FROM base\n" + s.lines)}
		f.convert()
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
	case "label":
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

func (q question) spellings() ([]spelling, error) {
	switch q.Place {
	case "env":
		return q.pairs("ENV"), nil
	case "label":
		return q.pairs("LABEL"), nil
	case "word":
		return execForms("CMD [", q.Value), nil
	case "health":
		return execForms(`HEALTHCHECK CMD ["test", `, q.Value), nil
	}
	return nil, fmt.Errorf("there is no place %q", q.Place)
}

// backtick makes a builder take that for what a backslash is otherwise.
const backtick = "# escape=`\n"

// pairs are the ways to write a name and a value after an instruction that takes them.
func (q question) pairs(instruction string) []spelling {
	pair := func(quote func(string) string) string {
		return instruction + " " + quote(q.Name) + "=" + quote(q.Value) + "\n"
	}
	return []spelling{
		{name: "double quotes", lines: pair(doubleQuoted(`\`))},
		{name: "single quotes", lines: pair(singleQuoted)},
		{name: "backslashes", lines: pair(unquoted(`\`))},
		{name: "double quotes with backticks", directive: backtick, lines: pair(doubleQuoted("`"))},
		{name: "backticks", directive: backtick, lines: pair(unquoted("`"))},
		{name: "a blank and double quotes", lines: instruction + " " + q.Name + " " + doubleQuoted(`\`)(q.Value) + "\n"},
		{name: "a blank and backslashes", lines: instruction + " " + q.Name + " " + unquoted(`\`)(q.Value) + "\n"},
		// What an argument holds is not read again, neither as the end of a name nor for its quotes.
		// It grows over as many lines as it needs.
		{name: "arguments", lines: argument("flokkr_name", q.Name) + argument("flokkr_value", q.Value) +
			instruction + " \"${flokkr_name}\"=\"${flokkr_value}\"\n"},
	}
}

// execForms are the ways to write a word in JSON, after the beginning of the instruction.
func execForms(beginning, word string) []spelling {
	return []spelling{
		{name: "JSON", lines: beginning + jsonQuoted(word, false) + "]\n"},
		{name: "JSON over lines", lines: beginning + jsonQuoted(word, true) + "]\n"},
	}
}

// differs says what is wrong with what the image tells.
func (q question) differs(f *file) string {
	if len(f.problems) > 0 {
		return shown(strings.Join(f.problems, "; "))
	}
	switch q.Place {
	case "env":
		return different(f.record.Environment, q.Name, q.Value)
	case "label":
		return different(f.record.Labels, q.Name, q.Value)
	case "health":
		if f.record.Health == nil {
			return "got nothing"
		}
		return differentWords(f.record.Health.Test, "CMD", "test", q.Value)
	}
	return differentWords(f.record.Command, q.Value)
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

// doubleQuoted escapes what has a meaning between double quotes.
func doubleQuoted(escape string) func(string) string {
	return func(text string) string {
		return `"` + strings.NewReplacer(escape, escape+escape, `"`, escape+`"`, "$", escape+"$").Replace(text) + `"`
	}
}

func singleQuoted(text string) string { return "'" + text + "'" }

// unquoted escapes everything but letters and digits.
func unquoted(escape string) func(string) string {
	return func(text string) string {
		var out strings.Builder
		for _, r := range text {
			if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
				out.WriteString(escape)
			}
			out.WriteRune(r)
		}
		return out.String()
	}
}

// longestLine is less than the 65535 bytes that a builder reads, by enough for what else is there.
const longestLine = 60000

// argument sets an argument to a text, with a line for each part that fits into one even if all of it has
// to be escaped.
func argument(name, text string) string {
	lines := "ARG " + name + "=\"\"\n"
	for text != "" {
		part := text
		if len(part) > longestLine/2 {
			part = part[:longestLine/2]
			for !utf8.ValidString(part) {
				part = part[:len(part)-1]
			}
		}
		lines += "ARG " + name + "=\"${" + name + "}\"" + doubleQuoted(`\`)(part) + "\n"
		text = text[len(part):]
	}
	return lines
}

// jsonQuoted writes JSON's quotes. Over lines nothing but letters and digits is as it is: at the
// beginning or end of a line much has a meaning.
func jsonQuoted(text string, overLines bool) string {
	var out strings.Builder
	line := 0
	add := func(piece string) {
		if overLines && line+len(piece) > longestLine {
			out.WriteString("\\\n")
			line = 0
		}
		line += len(piece)
		out.WriteString(piece)
	}
	add(`"`)
	for _, r := range text {
		switch {
		case r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r)):
			add(string(r))
		case !overLines && r >= ' ' && r <= '~' && r != '"' && r != '\\':
			add(string(r))
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			add(fmt.Sprintf(`\u%04x\u%04x`, high, low))
		default:
			add(fmt.Sprintf(`\u%04x`, r))
		}
	}
	add(`"`)
	return out.String()
}
