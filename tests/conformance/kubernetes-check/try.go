package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// question is a text that should get somewhere.
type question struct {
	// Place is env, word, label, file or health.
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
func answer(oldest string, in io.Reader, out io.Writer) error {
	rules := judge{}
	if err := rules.configure("privileged", oldest, nil); err != nil {
		return err
	}
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
		if err := verdicts.Encode(rules.try(q)); err != nil {
			return err
		}
	}
}

// spelling is a pod, with what it needs, that could carry a text.
type spelling struct {
	how string
	pod map[string]any
	// data is the ConfigMap's; binary is what it has in bytes.
	data   map[string]string
	binary map[string][]byte
	// got finds the text in what the container gets.
	got func(record) (string, bool)
}

// try asks every spelling.
func (j *judge) try(q question) verdict {
	v := verdict{Why: "no spelling is known"}
	for _, s := range spellings(q) {
		got, err := j.carry(s)
		switch {
		case err != nil:
			v.Why = fmt.Sprintf("%s: %v", s.how, err)
		case got != q.Value:
			v.Why = fmt.Sprintf("%s: got %.80q", s.how, got)
		default:
			return verdict{Carried: true, How: s.how}
		}
	}
	return v
}

// spellings are what a careful hand would write: `$` is doubled where a kubelet expands.
func spellings(q question) []spelling {
	doubled := strings.ReplaceAll(q.Value, "$", "$$")
	variable := func(r record) (string, bool) { value, ok := r.Environment[q.Name]; return value, ok }
	switch q.Place {
	case "env":
		entry := []any{map[string]any{"name": q.Name, "value": doubled}}
		source := []any{map[string]any{"configMapRef": map[string]any{"name": "c"}}}
		return []spelling{
			{how: "env", pod: podWith(nil, "env", entry), got: variable},
			{how: "envFrom", pod: podWith(nil, "envFrom", source), data: map[string]string{q.Name: q.Value}, got: variable},
		}
	case "word":
		return []spelling{{how: "args", pod: podWith(nil, "args", []any{doubled}), got: func(r record) (string, bool) {
			return strings.Join(r.Args, "\n"), len(r.Args) == 1
		}}}
	case "health":
		probe := map[string]any{"exec": map[string]any{"command": []any{doubled}}}
		return []spelling{{how: "readinessProbe", pod: podWith(nil, "readinessProbe", probe), got: func(r record) (string, bool) {
			return strings.Join(r.Ready, "\n"), len(r.Ready) == 1
		}}}
	case "label":
		set := map[string]any{q.Name: q.Value}
		return []spelling{
			{how: "label", pod: podWith(map[string]any{"labels": set}, "", nil), got: func(r record) (string, bool) {
				value, ok := r.Labels[q.Name]
				return value, ok
			}},
			{how: "annotation", pod: podWith(map[string]any{"annotations": set}, "", nil), got: func(r record) (string, bool) {
				value, ok := r.Annotations[q.Name]
				return value, ok
			}},
		}
	case "file":
		mounts := []any{map[string]any{"name": "v", "mountPath": "/f", "subPath": "f"}}
		pod, file := podWith(nil, "volumeMounts", mounts), func(r record) (string, bool) {
			value, ok := r.Files["/f"]
			return value, ok
		}
		return []spelling{
			{how: "data", pod: pod, data: map[string]string{"f": q.Value}, got: file},
			{how: "binaryData", pod: pod, binary: map[string][]byte{"f": []byte(q.Value)}, got: file},
		}
	}
	return nil
}

// podWith has one container, with one more field.
func podWith(metadata map[string]any, field string, value any) map[string]any {
	container := map[string]any{"name": "c", "image": "example.org/c:1"}
	if field != "" {
		container[field] = value
	}
	if metadata == nil {
		metadata = map[string]any{}
	}
	metadata["name"] = "p"
	volume := map[string]any{"name": "v", "configMap": map[string]any{"name": "c", "optional": true}}
	return map[string]any{
		"apiVersion": "v1", "kind": "Pod", "metadata": metadata,
		"spec": map[string]any{"containers": []any{container}, "volumes": []any{volume}},
	}
}

// carry puts a spelling before the server and gives what the container gets.
func (j *judge) carry(s spelling) (string, error) {
	config := map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "c"}}
	if s.data != nil {
		config["data"] = s.data
	}
	if s.binary != nil {
		config["binaryData"] = s.binary
	}
	var documents []document
	for _, o := range []map[string]any{s.pod, config} {
		text, err := json.Marshal(o)
		if err != nil {
			return "", err
		}
		documents = append(documents, document{"try", len(documents), escaped(text)})
	}
	found := decodeAll(documents, "default")
	for _, o := range found.objects {
		if !o.undecoded() {
			j.examine(found, o)
		}
	}
	pod := podsOf(found.objects[0])
	if len(pod) == 0 {
		return "", fmt.Errorf("%s", strings.Join(found.objects[0].problems, "; "))
	}
	r, problems := found.resolve(pod[0], containersOf(&pod[0].pod)[0])
	for _, o := range found.objects {
		problems = append(problems, o.problems...)
	}
	if len(problems) > 0 {
		return "", fmt.Errorf("%s", strings.Join(problems, "; "))
	}
	got, ok := s.got(r)
	if !ok {
		return "", fmt.Errorf("it is not there")
	}
	return got, nil
}

// escaped writes all but ASCII as \u, so that no reader stumbles over a character before Kubernetes
// sees it.
func escaped(text []byte) []byte {
	var out strings.Builder
	for _, r := range string(text) {
		// YAML and JSON write what is beyond four digits in different ways.
		if r >= 0x7f && r < 0x10000 {
			fmt.Fprintf(&out, "\\u%04x", r)
		} else {
			out.WriteRune(r)
		}
	}
	return []byte(out.String())
}
