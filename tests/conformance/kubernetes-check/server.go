package main

import (
	"bytes"
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/apimachinery/pkg/util/validation/field"
	podsecurity "k8s.io/pod-security-admission/api"
	yamljson "sigs.k8s.io/yaml"
)

// server is an API server that may be written to.
type server struct {
	url    string
	token  string
	client http.Client
	// kinds are what it serves, by group and version.
	kinds map[schema.GroupVersion]map[string]metav1.APIResource
}

// reach reads the files of tests/conformance/kubernetes-apiserver.
func reach(folder string) (*server, error) {
	var contents []string
	for _, name := range []string{"url", "token", "apiserver.crt"} {
		content, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			return nil, err
		}
		contents = append(contents, string(content))
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(contents[2]))
	return &server{
		url:   contents[0],
		token: contents[1],
		client: http.Client{
			Timeout:   time.Minute,
			Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true},
		},
		kinds: map[schema.GroupVersion]map[string]metav1.APIResource{},
	}, nil
}

// sent is an object as it stands in a file.
type sent struct {
	object
	namespace string
	labels    map[string]string
	tree      any
	// skipped: the server doesn't serve this kind, but a server may.
	skipped bool
}

// askServer reports what the server of a folder says.
func askServer(out io.Writer, folder string, documents []document, namespace string) error {
	s, err := reach(folder)
	if err != nil {
		return err
	}
	return s.report(out, documents, namespace)
}

// report prints what a server says when it is asked to apply the objects, one line an object.
// Only namespaces stay there: nothing else can be tried without them.
func (s *server) report(out io.Writer, documents []document, namespace string) error {
	var all, namespaces, others []*sent
	for _, document := range documents {
		o := read(document, namespace)
		if all = append(all, o); o.gvk == namespaceKind {
			namespaces = append(namespaces, o)
		} else {
			others = append(others, o)
		}
	}
	made := map[string]bool{}
	for _, o := range namespaces {
		if err := s.try(o); err != nil {
			return err
		}
		if len(o.problems) > 0 {
			continue
		}
		made[o.name] = true
		if err := s.make(o.name, o.labels, o.text); err != nil {
			return fmt.Errorf("%s: %w", o, err)
		}
	}
	for _, o := range others {
		if len(o.problems) > 0 {
			continue
		}
		if !made[o.namespace] {
			// Whoever installs the objects makes this one, with nothing but its name.
			made[o.namespace] = true
			bare := fmt.Sprintf(`{"apiVersion":"v1","kind":"Namespace","metadata":{"name":%q}}`, o.namespace)
			if err := s.make(o.namespace, nil, []byte(bare)); err != nil {
				return fmt.Errorf("%s: %w", o, err)
			}
		}
		if err := s.try(o); err != nil {
			return err
		}
	}
	return printSent(out, all)
}

// printSent prints what became of the objects.
func printSent(out io.Writer, all []*sent) error {
	bad, skipped := 0, 0
	for _, o := range all {
		if o.skipped {
			skipped++
			fmt.Fprintf(out, "%s: skipped, the server has no definition of it\n", o)
		}
		if len(o.problems) > 0 {
			bad++
			fmt.Fprintf(out, "%s: %s\n", o, oneLine(strings.Join(o.problems, "; ")))
		}
	}
	if skipped > 0 {
		fmt.Fprintf(out, "%d skipped\n", skipped)
	}
	fmt.Fprintf(out, "%d objects, %d bad\n", len(all), bad)
	if bad > 0 {
		return errBad
	}
	return nil
}

var namespaceKind = schema.GroupVersionKind{Version: "v1", Kind: "Namespace"}

// make makes a namespace, and waits until the server holds pods to what its labels say: for a moment
// it may still know the labels that the namespace had before.
func (s *server) make(name string, labels map[string]string, text []byte) error {
	path := "/api/v1/namespaces/" + url.PathEscape(name)
	if got, err := s.apply(path, "force=true", text); err != nil || got.refused != nil {
		return cmp.Or(err, got.refused)
	}
	path = "/apis/apps/v1/namespaces/" + url.PathEscape(name) + "/deployments/probe"
	wanted := warningOf(labels)
	for end := time.Now().Add(settled); ; time.Sleep(10 * time.Millisecond) {
		got, err := s.apply(path, "dryRun=All", []byte(probe))
		if err != nil || got.refused != nil {
			return cmp.Or(err, got.refused)
		}
		warning := strings.Join(got.warnings, "; ")
		if warning == wanted || wanted != "" && strings.Contains(warning, wanted) {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("the server warns of a pod for which no level is low enough with %q, and not with %q", warning, wanted)
		}
	}
}

// settled is more time than a server needs to see its own change.
const settled = 30 * time.Second

// probe has a pod that only the level `privileged` allows.
const probe = `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"probe"},"spec":{
	"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},"spec":{
	"hostNetwork":true,"containers":[{"name":"a","image":"a"}]}}}}`

// warningOf is what the server says to that pod in a namespace with these labels. Templates are only
// warned of, by the level that is enforced unless another one is named for warnings.
func warningOf(labels map[string]string) string {
	level, version := labels[podsecurity.WarnLevelLabel], labels[podsecurity.WarnVersionLabel]
	if level == "" {
		level, version = labels[podsecurity.EnforceLevelLabel], labels[podsecurity.EnforceVersionLabel]
	}
	if level == "" || level == string(podsecurity.LevelPrivileged) {
		return ""
	}
	return fmt.Sprintf("PodSecurity %q", level+":"+cmp.Or(version, podsecurity.VersionLatest))
}

// read takes from a document only what a client has to know.
func read(document document, namespace string) *sent {
	o := &sent{object: object{document: document}, namespace: namespace}
	var head metav1.PartialObjectMetadata
	for _, into := range []any{&head, &o.tree} {
		if err := yamljson.Unmarshal(o.text, into); err != nil {
			o.bad("%v", err)
			return o
		}
	}
	if head.Kind == "" {
		o.bad("it names no kind")
	}
	o.gvk, o.name, o.labels = head.GroupVersionKind(), head.Name, head.Labels
	if head.Namespace != "" {
		o.namespace = head.Namespace
	}
	return o
}

// try asks the server to apply an object without keeping it: as it stands in the file, and as kubectl
// would send it.
func (s *server) try(o *sent) error {
	kind, err := s.resource(o.gvk)
	if err != nil {
		return err
	}
	if kind == nil {
		if o.skipped = customResources[o.gvk]; !o.skipped {
			o.bad("the server has no %s", o.gvk)
		}
		return nil
	}
	path := "/apis/" + o.gvk.GroupVersion().String()
	if o.gvk.Group == "" {
		path = "/api/" + o.gvk.Version
	}
	namespace := ""
	if kind.Namespaced {
		namespace = o.namespace
		path += "/namespaces/" + url.PathEscape(namespace)
	}
	path += "/" + kind.Name + "/" + url.PathEscape(o.name)
	// kubectl makes JSON of the text, which the server then reads as YAML: not every character is the
	// same in both. A field that is there twice gets lost on that way.
	converted, err := json.Marshal(o.tree)
	if err != nil {
		return err
	}
	for _, text := range [][]byte{o.text, converted} {
		if err := s.send(o, path, namespace, text); err != nil || len(o.problems) > 0 {
			return err
		}
	}
	return nil
}

// send is one try with one spelling of the object.
func (s *server) send(o *sent, path, namespace string, text []byte) error {
	got, err := s.apply(path, "dryRun=All", text)
	if err != nil {
		return err
	}
	for _, warning := range got.warnings {
		o.bad("warning: %s", warning)
	}
	if got.refused != nil {
		for _, problem := range causes(got.refused) {
			o.bad("%s", problem)
		}
		return nil
	}
	o.compare(got.body, namespace)
	return nil
}

// resource is how the server calls a kind; nil when it doesn't serve it.
func (s *server) resource(kind schema.GroupVersionKind) (*metav1.APIResource, error) {
	version := kind.GroupVersion()
	kinds, known := s.kinds[version]
	if !known {
		path := "/apis/" + version.String()
		if version.Group == "" {
			path = "/api/" + version.Version
		}
		var list metav1.APIResourceList
		got, err := s.ask(http.MethodGet, path, nil)
		if err != nil {
			return nil, err
		}
		kinds = map[string]metav1.APIResource{}
		s.kinds[version] = kinds
		if got.refused == nil {
			if err := json.Unmarshal(got.body, &list); err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
		} else if got.status != http.StatusNotFound {
			return nil, fmt.Errorf("%s: %w", path, got.refused)
		}
		for _, found := range list.APIResources {
			if !strings.Contains(found.Name, "/") {
				kinds[found.Kind] = found
			}
		}
	}
	if found, ok := kinds[kind.Kind]; ok {
		return &found, nil
	}
	return nil, nil
}

// reply is what the server says to a request that reached it.
type reply struct {
	status   int
	body     []byte
	warnings []string
	refused  error
}

func (s *server) apply(path, query string, text []byte) (reply, error) {
	return s.ask(http.MethodPatch, path+"?fieldManager=flokkr&fieldValidation=Strict&"+query, text)
}

func (s *server) ask(method, path string, text []byte) (reply, error) {
	request, err := http.NewRequest(method, s.url+path, bytes.NewReader(text))
	if err != nil {
		return reply{}, err
	}
	request.Header.Set("Authorization", "Bearer "+s.token)
	if method == http.MethodPatch {
		request.Header.Set("Content-Type", "application/apply-patch+yaml")
	}
	request.Header.Set("Accept", "application/json")
	response, err := s.client.Do(request)
	if err != nil {
		return reply{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return reply{}, err
	}
	warnings, errs := utilnet.ParseWarningHeaders(response.Header.Values("Warning"))
	if len(errs) > 0 {
		return reply{}, errors.Join(errs...)
	}
	got := reply{status: response.StatusCode, body: body}
	for _, warning := range warnings {
		got.warnings = append(got.warnings, warning.Text)
	}
	if response.StatusCode != http.StatusOK && response.StatusCode != http.StatusCreated {
		var status metav1.Status
		if json.Unmarshal(body, &status) == nil && status.Kind == "Status" {
			got.refused = apierrors.FromObject(&status)
		} else {
			got.refused = fmt.Errorf("%s: %s", response.Status, body)
		}
	}
	return got, nil
}

// compare holds the answer against the object: whatever was said there is said in it too.
func (o *sent) compare(body []byte, namespace string) {
	var head metav1.PartialObjectMetadata
	var tree any
	for _, into := range []any{&head, &tree} {
		if err := json.Unmarshal(body, into); err != nil {
			o.bad("answer: %v", err)
			return
		}
	}
	if head.GroupVersionKind() != o.gvk || head.Name != o.name || head.Namespace != namespace {
		o.bad("the server made %s %s/%s of it", head.GroupVersionKind(), head.Namespace, head.Name)
		return
	}
	o.compareTree(o.tree, tree, nil)
}

func (o *sent) compareTree(sent, got any, path *field.Path) {
	switch value := sent.(type) {
	case map[string]any:
		other, _ := got.(map[string]any)
		for name, below := range value {
			if _, kept := other[name]; kept || !empty(below) {
				o.compareTree(below, other[name], child(path, name))
			} else if textMaps.MatchString(at(path)) {
				o.bad("%s: the server dropped it", child(path, name))
			}
		}
	case []any:
		other, _ := got.([]any)
		if len(value) != len(other) {
			o.bad("%s: the server made %d of %d items", at(path), len(other), len(value))
			return
		}
		for i, below := range value {
			o.compareTree(below, other[i], path.Index(i))
		}
	default:
		switch {
		case sent == got, empty(sent) && got == nil:
		case got == nil:
			o.bad("%s: the server dropped it", at(path))
		case !quantities.MatchString(at(path)) || !sameQuantity(sent, got):
			o.bad("%s: the server made %.80q of %.80q", at(path), fmt.Sprint(got), fmt.Sprint(sent))
		}
	}
}

var (
	// textMaps are where an empty text says something.
	textMaps = regexp.MustCompile(`(^data|^binaryData|[lL]abels|\.annotations|\.nodeSelector)$`)
	// quantities are what a server may spell in another way.
	quantities = regexp.MustCompile(`^spec\..*\.((requests|limits)\.[a-z./-]+|sizeLimit|divisor)$`)
)

func sameQuantity(sent, got any) bool {
	one, err := resource.ParseQuantity(fmt.Sprint(sent))
	if err != nil {
		return false
	}
	other, err := resource.ParseQuantity(fmt.Sprint(got))
	return err == nil && one.Cmp(other) == 0
}

func child(path *field.Path, name string) *field.Path {
	if path == nil {
		return field.NewPath(name)
	}
	return path.Child(name)
}

// empty is what a server leaves out: it says nothing.
func empty(value any) bool {
	switch value := value.(type) {
	case nil:
		return true
	case bool:
		return !value
	case float64:
		return value == 0
	case string:
		return value == ""
	case map[string]any:
		return len(value) == 0
	case []any:
		return len(value) == 0
	}
	return false
}
