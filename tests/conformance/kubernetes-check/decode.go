package main

import (
	"fmt"

	"go.yaml.in/yaml/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	yamljson "sigs.k8s.io/yaml"
)

// manifests are what all the files hold together.
type manifests struct {
	objects []*object
	// byName finds the objects of a kind, as namespace/name.
	byName map[string]map[string]*object
	// secrets are those that pods name, each with the object that does so.
	secrets map[string]string
}

// object is one document, as far as it could be decoded.
type object struct {
	document
	gvk schema.GroupVersionKind
	// name is what the document says, decoded or not.
	name string
	// meta is nil when nothing could be decoded.
	meta metav1.Object
	// typed is the object of the public API with its defaults; nil for a custom resource.
	typed    runtime.Object
	problems []string
}

func (o *object) String() string {
	where := fmt.Sprintf("%s[%d]", o.path, o.index)
	if o.gvk.Kind != "" {
		where += " " + o.gvk.Kind
	}
	if o.name != "" {
		where += "/" + o.name
	}
	return where
}

func (o *object) undecoded() bool { return o.meta == nil }

func (o *object) bad(format string, args ...any) {
	o.problems = append(o.problems, fmt.Sprintf(format, args...))
}

// find looks an object up by kind; the namespace is that of the one who asks.
func (d *manifests) find(kind, namespace, name string) *object {
	return d.byName[kind][namespace+"/"+name]
}

// ofKind finds all objects of a kind in a namespace, in the order of the files.
func (d *manifests) ofKind(kind, namespace string) []*object {
	var found []*object
	for _, o := range d.objects {
		if !o.undecoded() && o.gvk.Kind == kind && o.meta.GetNamespace() == namespace {
			found = append(found, o)
		}
	}
	return found
}

func decodeAll(documents []document, namespace string) *manifests {
	d := &manifests{byName: map[string]map[string]*object{}, secrets: map[string]string{}}
	for _, document := range documents {
		o := decode(document)
		d.objects = append(d.objects, o)
		if o.undecoded() {
			continue
		}
		if o.meta.GetNamespace() == "" && namespaced(o) {
			o.meta.SetNamespace(namespace)
		}
		names := d.byName[o.gvk.Kind]
		if names == nil {
			names = map[string]*object{}
			d.byName[o.gvk.Kind] = names
		}
		key := o.meta.GetNamespace() + "/" + o.meta.GetName()
		if first := names[key]; first != nil {
			o.bad("the same object is in %s[%d]", first.path, first.index)
			continue
		}
		names[key] = o
	}
	return d
}

// strict refuses unknown and duplicate fields.
var strict = serializer.NewCodecFactory(legacyscheme.Scheme, serializer.EnableStrict).UniversalDeserializer()

func decode(document document) *object {
	o := &object{document: document}
	o.checkText()
	var head metav1.PartialObjectMetadata
	if err := yamljson.Unmarshal(o.text, &head); err != nil {
		o.bad("%v", err)
		return o
	}
	o.gvk, o.name = head.GroupVersionKind(), head.Name
	if customResources[o.gvk] {
		o.decodeCustom()
		return o
	}
	if strategies[o.gvk] == nil {
		o.bad("%s isn't a kind that this program knows", o.gvk)
		return o
	}
	typed, _, err := strict.Decode(o.text, nil, nil)
	if err != nil {
		o.bad("%v", err)
		return o
	}
	accessor, err := meta.Accessor(typed)
	if err != nil {
		o.bad("%v", err)
		return o
	}
	legacyscheme.Scheme.Default(typed)
	o.typed, o.meta = typed, accessor
	return o
}

// checkText looks at the document as YAML, before Kubernetes turns it into JSON. There a key such
// as an unquoted `on` becomes the text "true" without a word, and a control character survives that
// server-side apply and Kustomize refuse or change.
func (o *object) checkText() {
	var tree yaml.MapSlice
	if err := yaml.Unmarshal(o.text, &tree); err != nil {
		return // decoding reports it
	}
	o.checkTree(tree, nil)
}

func (o *object) checkTree(tree any, path *field.Path) {
	switch value := tree.(type) {
	case yaml.MapSlice:
		for _, item := range value {
			name, isText := item.Key.(string)
			if !isText {
				o.bad("%s: the key %v is no text but a YAML %T", at(path), item.Key, item.Key)
				name = fmt.Sprint(item.Key)
			}
			o.checkCharacters(name, path)
			o.checkTree(item.Value, path.Child(name))
		}
	case []any:
		for i, below := range value {
			o.checkTree(below, path.Index(i))
		}
	case string:
		o.checkCharacters(value, path)
	}
}

func (o *object) checkCharacters(text string, path *field.Path) {
	for _, r := range text {
		if r >= 0x7f && r <= 0x9f || r == 0xfffe || r == 0xffff {
			o.bad("%s: U+%04X doesn't get through server-side apply and Kustomize", at(path), r)
			return
		}
	}
}

func at(path *field.Path) string {
	if path == nil {
		return "document"
	}
	return path.String()
}

// customResources are known to a server only where their definition is installed.
var customResources = map[schema.GroupVersionKind]bool{podMonitor: true}

var podMonitor = schema.GroupVersionKind{Group: "monitoring.coreos.com", Version: "v1", Kind: "PodMonitor"}

// customResource is what any custom resource has, and what a PodMonitor must find.
type customResource struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              any `json:"spec"`
}

func (o *object) decodeCustom() {
	var custom customResource
	if err := yamljson.UnmarshalStrict(o.text, &custom); err != nil {
		o.bad("%v", err)
		return
	}
	o.meta = &custom.ObjectMeta
	metadata := field.NewPath("metadata")
	name := custom.ObjectMeta
	if name.Namespace == "" {
		name.Namespace = "default"
	}
	for _, err := range apivalidation.ValidateObjectMeta(&name, true, apivalidation.NameIsDNSSubdomain, metadata) {
		o.bad("%v", err)
	}
}

// namespaced tells the kinds that live in a namespace.
func namespaced(o *object) bool {
	strategy := strategies[o.gvk]
	return strategy == nil || strategy.NamespaceScoped()
}

// configMap is the object as a ConfigMap; nil when it is none.
func configMap(o *object) *corev1.ConfigMap {
	if o == nil {
		return nil
	}
	config, _ := o.typed.(*corev1.ConfigMap)
	return config
}
