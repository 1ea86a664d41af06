package main

import (
	"encoding/base64"
	"fmt"
	"maps"
	"path"
	"slices"
	"sort"
	"strings"
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"
	podresource "k8s.io/kubernetes/pkg/api/v1/resource"
	"k8s.io/kubernetes/pkg/fieldpath"
	"k8s.io/kubernetes/third_party/forked/golang/expansion"
)

// record is what one container of one replica gets.
type record struct {
	File      string `json:"file"`
	Kind      string `json:"kind"`
	Workload  string `json:"workload"`
	Namespace string `json:"namespace"`
	Pod       string `json:"pod"`
	Replica   int    `json:"replica"`
	Ordinal   int    `json:"ordinal"`
	Container string `json:"container"`
	// Role is main, init or sidecar.
	Role  string `json:"role"`
	Image string `json:"image"`
	// Command replaces the image's entrypoint, Args its command.
	Command     []string          `json:"command"`
	Args        []string          `json:"args"`
	Environment map[string]string `json:"environment"`
	// Files are those that ConfigMaps, Secrets and the downward API put at a path.
	Files map[string]string `json:"files"`
	// BinaryFiles are those that are no UTF-8, in base64.
	BinaryFiles map[string]string `json:"binaryFiles"`
	Mounts      []mount           `json:"mounts"`
	// Ready is the command of the readiness probe.
	Ready []string `json:"ready,omitempty"`
	// Labels and Annotations are those of the pod.
	Labels      map[string]string `json:"labels,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

// texts are all that the process is told, sorted by where it comes from.
func (r record) texts() []string {
	texts := slices.Concat(r.Command, r.Args)
	for _, told := range []map[string]string{r.Environment, r.Files} {
		for _, key := range slices.Sorted(maps.Keys(told)) {
			texts = append(texts, told[key])
		}
	}
	return texts
}

type mount struct {
	Path string `json:"path"`
	// Source is the kind of the volume, and what it names: `persistentVolumeClaim data-zookeeper-0`.
	Source   string `json:"source"`
	SubPath  string `json:"subPath,omitempty"`
	ReadOnly bool   `json:"readOnly,omitempty"`
}

// secretText stands for the value of a secret, which no manifest has.
func secretText(name, key string) string { return fmt.Sprintf("<secret %s/%s>", name, key) }

// resolution is the work on one container.
type resolution struct {
	manifests *manifests
	pod       *corev1.Pod
	container *corev1.Container
	variables map[string]string
	problems  []string
}

// resolve does what the kubelet does before it starts a container (makeEnvironmentVariables and
// makeMounts in its kubelet_pods.go, which can't be called without a kubelet).
func (d *manifests) resolve(r replica, c container) (record, []string) {
	pod := r.pod
	res := resolution{manifests: d, pod: &pod, container: c.spec, variables: map[string]string{}}
	res.takeSources()
	res.takeVariables()
	out := record{
		File:        r.owner.path,
		Kind:        r.owner.gvk.Kind,
		Workload:    r.owner.meta.GetName(),
		Namespace:   pod.Namespace,
		Pod:         pod.Name,
		Replica:     r.number,
		Ordinal:     r.ordinal,
		Container:   c.spec.Name,
		Role:        c.role,
		Image:       c.spec.Image,
		Command:     res.expandAll("command", c.spec.Command),
		Args:        res.expandAll("args", c.spec.Args),
		Environment: res.variables,
		Files:       map[string]string{},
		BinaryFiles: map[string]string{},
		Mounts:      []mount{},
		Labels:      pod.Labels,
		Annotations: pod.Annotations,
	}
	if probe := c.spec.ReadinessProbe; probe != nil && probe.Exec != nil {
		out.Ready = expandProbe(probe.Exec.Command, c.spec.Env)
	}
	for _, m := range c.spec.VolumeMounts {
		res.mount(m, &out)
	}
	res.checkProcess(out)
	return out, res.problems
}

// A process takes no longer text, the end included; a variable with its name and the sign.
const longestText = 131072

// checkProcess looks for what no process can be started with.
func (r *resolution) checkProcess(out record) {
	check := func(where, text string) {
		if len(text) >= longestText || strings.Contains(text, "\x00") {
			r.bad("%s: no process can be given this", where)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(out.Environment)) {
		check("env "+name, name+"="+out.Environment[name])
	}
	for i, text := range slices.Concat(out.Command, out.Args) {
		check(fmt.Sprintf("word %d of the command", i), text)
	}
}

func (r *resolution) bad(format string, args ...any) {
	r.problems = append(r.problems, fmt.Sprintf("container %s: ", r.container.Name)+fmt.Sprintf(format, args...))
}

// expand replaces references to variables. A kubelet leaves one that it doesn't know as it is; in
// text where every literal dollar is doubled such a rest is a mistake.
func (r *resolution) expand(where, text string) string {
	return expansion.Expand(text, func(name string) string {
		if value, ok := r.variables[name]; ok {
			return value
		}
		r.bad("%s: $(%s) is no variable that is set before", where, name)
		return "$(" + name + ")"
	})
}

func (r *resolution) expandAll(where string, texts []string) []string {
	expanded := make([]string, len(texts))
	for i, text := range texts {
		expanded[i] = r.expand(fmt.Sprintf("%s[%d]", where, i), text)
	}
	return expanded
}

// takeSources takes envFrom: whole ConfigMaps and Secrets, the later over the earlier.
func (r *resolution) takeSources() {
	for _, source := range r.container.EnvFrom {
		switch {
		case source.ConfigMapRef != nil:
			config := r.configMap(source.ConfigMapRef.Name, source.ConfigMapRef.Optional)
			if config == nil {
				continue
			}
			for key, value := range config.Data {
				r.variables[source.Prefix+key] = value
			}
		case source.SecretRef != nil:
			name := source.SecretRef.Name
			for _, key := range r.secretKeys(name) {
				r.variables[source.Prefix+key] = secretText(name, key)
			}
		}
	}
}

// takeVariables takes env, each entry of which may refer to what comes before it.
func (r *resolution) takeVariables() {
	for _, variable := range r.container.Env {
		value, ok := variable.Value, true
		if value != "" {
			value = r.expand("env "+variable.Name, value)
		} else if variable.ValueFrom != nil {
			value, ok = r.valueFrom(variable.Name, variable.ValueFrom)
		}
		if ok {
			r.variables[variable.Name] = value
		}
	}
}

// valueFrom is false when there is no such variable in the end.
func (r *resolution) valueFrom(name string, source *corev1.EnvVarSource) (string, bool) {
	switch {
	case source.FieldRef != nil:
		value, err := r.field(source.FieldRef.FieldPath)
		if err != nil {
			r.bad("env %s: %v", name, err)
		}
		return value, true
	case source.ResourceFieldRef != nil:
		value, err := podresource.ExtractContainerResourceValue(source.ResourceFieldRef, r.container)
		if err != nil {
			r.bad("env %s: %v", name, err)
		}
		return value, true
	case source.ConfigMapKeyRef != nil:
		ref := source.ConfigMapKeyRef
		config := r.configMap(ref.Name, ref.Optional)
		if config == nil {
			return "", false
		}
		value, found := config.Data[ref.Key]
		if !found && !isTrue(ref.Optional) {
			r.bad("env %s: ConfigMap/%s has no key %q", name, ref.Name, ref.Key)
		}
		return value, found
	case source.SecretKeyRef != nil:
		return secretText(source.SecretKeyRef.Name, source.SecretKeyRef.Key), true
	}
	r.bad("env %s: this source of a value isn't known here", name)
	return "", false
}

// field reads a field of the pod. What only a cluster knows is written as its own name.
func (r *resolution) field(fieldPath string) (string, error) {
	switch fieldPath {
	case "spec.serviceAccountName":
		return r.pod.Spec.ServiceAccountName, nil
	case "spec.nodeName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs", "metadata.uid":
		return "<" + fieldPath + ">", nil
	}
	value, err := fieldpath.ExtractFieldPathAsString(r.pod, fieldPath)
	if name, key, ok := fieldpath.SplitMaybeSubscriptedPath(fieldPath); err == nil && ok {
		set := r.pod.Labels
		if name == "metadata.annotations" {
			set = r.pod.Annotations
		}
		if _, found := set[key]; !found {
			return "", fmt.Errorf("no pod of this has %s", fieldPath)
		}
	}
	return value, err
}

func (r *resolution) configMap(name string, optional *bool) *corev1.ConfigMap {
	config := configMap(r.manifests.find("ConfigMap", r.pod.Namespace, name))
	if config == nil && !isTrue(optional) {
		r.bad("there is no ConfigMap/%s", name)
	}
	return config
}

// secretKeys are known when the Secret is among the files.
func (r *resolution) secretKeys(name string) []string {
	o := r.manifests.find("Secret", r.pod.Namespace, name)
	if o == nil {
		return []string{"*"}
	}
	var keys []string
	if secret, ok := o.typed.(*corev1.Secret); ok {
		for key := range secret.Data {
			keys = append(keys, key)
		}
		for key := range secret.StringData {
			keys = append(keys, key)
		}
	}
	sort.Strings(keys)
	return slices.Compact(keys)
}

// mount puts the files of a volume where the container sees them.
func (r *resolution) mount(m corev1.VolumeMount, out *record) {
	volume := r.volume(m.Name)
	if volume == nil {
		return // a server refuses that
	}
	subPath := m.SubPath
	if m.SubPathExpr != "" {
		subPath = r.expandSubPath(m.SubPathExpr)
	}
	source, content := r.contentOf(volume)
	out.Mounts = append(out.Mounts, mount{Path: m.MountPath, Source: source, SubPath: subPath, ReadOnly: m.ReadOnly})
	if content == nil {
		return
	}
	found := false
	for name, data := range content {
		target := m.MountPath
		switch {
		case subPath == "":
			target = path.Join(m.MountPath, name)
		case name == subPath:
		case strings.HasPrefix(name, subPath+"/"):
			target = path.Join(m.MountPath, strings.TrimPrefix(name, subPath+"/"))
		default:
			continue
		}
		found = true
		if utf8.ValidString(data) {
			out.Files[target] = data
		} else {
			out.BinaryFiles[target] = base64.StdEncoding.EncodeToString([]byte(data))
		}
	}
	if subPath != "" && !found && content["*"] == "" {
		r.bad("%s: there is no %s in %s; the kubelet makes an empty directory", m.MountPath, subPath, source)
	}
}

// expandProbe replaces references as the kubelet does (ExpandContainerCommandOnlyStatic): by the values as
// they are written, and only those.
func expandProbe(command []string, variables []corev1.EnvVar) []string {
	written := map[string]string{}
	for _, variable := range variables {
		written[variable.Name] = variable.Value
	}
	mapping := expansion.MappingFuncFor(written)
	expanded := make([]string, len(command))
	for i, word := range command {
		expanded[i] = expansion.Expand(word, mapping)
	}
	return expanded
}

// expandSubPath is stricter than other expansions: the kubelet wants every variable to be set.
func (r *resolution) expandSubPath(text string) string {
	return expansion.Expand(text, func(name string) string {
		value := r.variables[name]
		if value == "" {
			r.bad("subPathExpr %s: %s isn't set", text, name)
		}
		return value
	})
}

func (r *resolution) volume(name string) *corev1.Volume {
	for i := range r.pod.Spec.Volumes {
		if r.pod.Spec.Volumes[i].Name == name {
			return &r.pod.Spec.Volumes[i]
		}
	}
	return nil
}

// contentOf says what a volume is and which files are in it; nil when the process fills it.
func (r *resolution) contentOf(v *corev1.Volume) (string, map[string]string) {
	content := map[string]string{}
	switch {
	case v.ConfigMap != nil:
		r.addConfigMap(content, v.ConfigMap.Name, v.ConfigMap.Optional, v.ConfigMap.Items)
		return "configMap " + v.ConfigMap.Name, content
	case v.Secret != nil:
		r.addSecret(content, v.Secret.SecretName, v.Secret.Items)
		return "secret " + v.Secret.SecretName, content
	case v.DownwardAPI != nil:
		r.addFields(content, v.DownwardAPI.Items)
		return "downwardAPI", content
	case v.Projected != nil:
		for _, source := range v.Projected.Sources {
			r.addProjection(content, source)
		}
		return "projected", content
	case v.PersistentVolumeClaim != nil:
		return "persistentVolumeClaim " + v.PersistentVolumeClaim.ClaimName, nil
	case v.HostPath != nil:
		return "hostPath " + v.HostPath.Path, nil
	case v.EmptyDir != nil:
		return "emptyDir", nil
	}
	return "another kind of volume", nil
}

func (r *resolution) addProjection(content map[string]string, source corev1.VolumeProjection) {
	switch {
	case source.ConfigMap != nil:
		r.addConfigMap(content, source.ConfigMap.Name, source.ConfigMap.Optional, source.ConfigMap.Items)
	case source.Secret != nil:
		r.addSecret(content, source.Secret.Name, source.Secret.Items)
	case source.DownwardAPI != nil:
		r.addFields(content, source.DownwardAPI.Items)
	case source.ServiceAccountToken != nil:
		content[source.ServiceAccountToken.Path] = "<token>"
	}
}

func (r *resolution) addConfigMap(content map[string]string, name string, optional *bool, items []corev1.KeyToPath) {
	config := r.configMap(name, optional)
	if config == nil {
		return
	}
	data := map[string]string{}
	for key, value := range config.Data {
		data[key] = value
	}
	for key, value := range config.BinaryData {
		data[key] = string(value)
	}
	if items == nil {
		for key, value := range data {
			content[key] = value
		}
		return
	}
	for _, item := range items {
		value, found := data[item.Key]
		if !found && !isTrue(optional) {
			r.bad("ConfigMap/%s has no key %q", name, item.Key)
		}
		if found {
			content[path.Clean(item.Path)] = value
		}
	}
}

func (r *resolution) addSecret(content map[string]string, name string, items []corev1.KeyToPath) {
	if items == nil {
		for _, key := range r.secretKeys(name) {
			content[key] = secretText(name, key)
		}
	}
	for _, item := range items {
		content[path.Clean(item.Path)] = secretText(name, item.Key)
	}
}

func (r *resolution) addFields(content map[string]string, items []corev1.DownwardAPIVolumeFile) {
	for _, item := range items {
		if item.FieldRef == nil {
			continue
		}
		value, err := r.field(item.FieldRef.FieldPath)
		if err != nil {
			r.bad("%s: %v", item.Path, err)
		}
		content[path.Clean(item.Path)] = value
	}
}

func isTrue(flag *bool) bool { return flag != nil && *flag }
