package main

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	yamljson "sigs.k8s.io/yaml"
)

// checkReferences finds what a server accepts object by object, and what yet can't work: a name that
// nothing bears, a selector that selects nothing. Secrets may be made by others; they are collected.
func checkReferences(d *manifests) {
	pods := map[string][]replica{}
	for _, o := range d.objects {
		for _, r := range podsOf(o) {
			pods[r.pod.Namespace] = append(pods[r.pod.Namespace], r)
		}
	}
	for _, o := range d.objects {
		if o.undecoded() {
			continue
		}
		c := referenceCheck{d, o, pods[o.meta.GetNamespace()]}
		c.namespace()
		c.pods()
		switch typed := o.typed.(type) {
		case *appsv1.StatefulSet:
			c.statefulSet(typed)
		case *corev1.Service:
			c.service(typed)
		case *policyv1.PodDisruptionBudget:
			c.budget(typed)
		case *networkingv1.Ingress:
			c.ingress(typed)
		case *networkingv1.NetworkPolicy:
			c.someSelected("spec.podSelector", &typed.Spec.PodSelector)
		case *rbacv1.RoleBinding:
			c.roleBinding(typed)
		}
		if o.gvk == podMonitor {
			c.podMonitor()
		}
	}
}

// referenceCheck looks at what one object names.
type referenceCheck struct {
	*manifests
	object *object
	// around are all pods of the object's namespace.
	around []replica
}

func (c referenceCheck) bad(format string, args ...any) { c.object.bad(format, args...) }

func (c referenceCheck) neighbour(kind, name string) *object {
	return c.find(kind, c.object.meta.GetNamespace(), name)
}

func (c referenceCheck) exists(where, kind, name string) {
	if c.neighbour(kind, name) == nil {
		c.bad("%s: there is no %s/%s", where, kind, name)
	}
}

// namespace wants an object in a namespace that these files make, if they make any.
func (c referenceCheck) namespace() {
	name := c.object.meta.GetNamespace()
	if name != "" && len(c.byName["Namespace"]) > 0 && c.find("Namespace", "", name) == nil {
		c.bad("metadata.namespace: there is no Namespace/%s", name)
	}
}

// pods looks at the pods that the object makes. Replicas share most of their problems.
func (c referenceCheck) pods() {
	replicas := podsOf(c.object)
	var problems []string
	for _, r := range replicas {
		for _, container := range containersOf(&r.pod) {
			record, found := c.resolve(r, container)
			problems = append(problems, found...)
			for _, text := range record.texts() {
				problems = append(problems, c.names(container.spec.Name, text)...)
			}
		}
	}
	for _, problem := range unique(problems) {
		c.bad("%s", problem)
	}
	if len(replicas) == 0 {
		return
	}
	r := replicas[0]
	c.podReferences(&r.pod)
	for _, container := range containersOf(&r.pod) {
		c.containerPorts(container.spec)
		c.containerSecrets(container.spec)
	}
	c.placement(&r.pod)
	for _, other := range c.around {
		if selector := selectorOf(c.object); selector != nil && other.owner != c.object && selects(selector, &other.pod) {
			c.bad("spec.selector: takes the pods of %s/%s too", other.owner.gvk.Kind, other.owner.meta.GetName())
			break
		}
	}
}

// clusterName is a name that the cluster's DNS answers: what comes before the `svc`.
var clusterName = regexp.MustCompile(`([a-z0-9]([-a-z0-9.]*[a-z0-9])?)\.svc\b`)

// names wants the names of Services, and of their pods, that a process is told, to be real. Those
// of other namespaces are not known here.
func (c referenceCheck) names(container, text string) []string {
	var problems []string
	for _, match := range clusterName.FindAllStringSubmatch(text, -1) {
		labels := strings.Split(match[1], ".")
		if len(labels) < 2 || labels[len(labels)-1] != c.object.meta.GetNamespace() {
			continue
		}
		service, pod := labels[len(labels)-2], strings.Join(labels[:len(labels)-2], ".")
		named := slices.ContainsFunc(c.around, func(r replica) bool {
			return r.pod.Spec.Hostname == pod && r.pod.Spec.Subdomain == service
		})
		if c.neighbour("Service", service) == nil || pod != "" && !named {
			problems = append(problems, fmt.Sprintf("container %s: nothing is called %s", container, match[0]))
		}
	}
	return problems
}

func (c referenceCheck) podReferences(pod *corev1.Pod) {
	if name := pod.Spec.ServiceAccountName; name != "" && name != "default" {
		c.exists("serviceAccountName", "ServiceAccount", name)
	}
	for _, secret := range pod.Spec.ImagePullSecrets {
		c.secret(secret.Name)
	}
	for _, volume := range pod.Spec.Volumes {
		switch {
		case volume.PersistentVolumeClaim != nil && !claimedByTemplate(c.object, volume.Name):
			c.exists("volume "+volume.Name, "PersistentVolumeClaim", volume.PersistentVolumeClaim.ClaimName)
		case volume.Secret != nil:
			c.secret(volume.Secret.SecretName)
		case volume.ConfigMap != nil && !isTrue(volume.ConfigMap.Optional):
			c.exists("volume "+volume.Name, "ConfigMap", volume.ConfigMap.Name)
		case volume.Projected != nil:
			for _, source := range volume.Projected.Sources {
				if source.Secret != nil {
					c.secret(source.Secret.Name)
				}
				if source.ConfigMap != nil && !isTrue(source.ConfigMap.Optional) {
					c.exists("volume "+volume.Name, "ConfigMap", source.ConfigMap.Name)
				}
			}
		}
	}
}

func (c referenceCheck) containerSecrets(spec *corev1.Container) {
	for _, source := range spec.EnvFrom {
		if source.SecretRef != nil {
			c.secret(source.SecretRef.Name)
		}
	}
	for _, variable := range spec.Env {
		if variable.ValueFrom != nil && variable.ValueFrom.SecretKeyRef != nil {
			c.secret(variable.ValueFrom.SecretKeyRef.Name)
		}
	}
}

// secret remembers who needs a Secret.
func (c referenceCheck) secret(name string) {
	key := c.object.meta.GetNamespace() + "/" + name
	if _, known := c.secrets[key]; !known && c.neighbour("Secret", name) == nil {
		c.secrets[key] = c.object.gvk.Kind + "/" + c.object.meta.GetName()
	}
}

// secretsOutside are the Secrets that must be there before, with the first that needs each.
func (d *manifests) secretsOutside() []string {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(d.secrets)) {
		lines = append(lines, fmt.Sprintf("Secret %s for %s", name, d.secrets[name]))
	}
	return lines
}

// containerPorts wants a port that a probe or a hook names to be one of the same container.
func (c referenceCheck) containerPorts(spec *corev1.Container) {
	check := func(where string, h *corev1.ProbeHandler) {
		var port intstr.IntOrString
		switch {
		case h.HTTPGet != nil:
			port = h.HTTPGet.Port
		case h.TCPSocket != nil:
			port = h.TCPSocket.Port
		}
		if port.Type == intstr.String && !slices.ContainsFunc(spec.Ports, func(p corev1.ContainerPort) bool { return p.Name == port.StrVal }) {
			c.bad("container %s: %s: there is no port %s", spec.Name, where, port.StrVal)
		}
	}
	probe := func(where string, p *corev1.Probe) {
		if p != nil {
			check(where, &p.ProbeHandler)
		}
	}
	probe("startupProbe", spec.StartupProbe)
	probe("readinessProbe", spec.ReadinessProbe)
	probe("livenessProbe", spec.LivenessProbe)
	hook := func(where string, h *corev1.LifecycleHandler) {
		if h != nil {
			check(where, &corev1.ProbeHandler{HTTPGet: h.HTTPGet, TCPSocket: h.TCPSocket})
		}
	}
	if spec.Lifecycle != nil {
		hook("lifecycle.postStart", spec.Lifecycle.PostStart)
		hook("lifecycle.preStop", spec.Lifecycle.PreStop)
	}
}

// placement wants the pods that a rule of placement counts, or looks for, to be there.
func (c referenceCheck) placement(pod *corev1.Pod) {
	for i, spread := range pod.Spec.TopologySpreadConstraints {
		if spread.LabelSelector != nil && !selects(spread.LabelSelector, pod) {
			c.bad("topologySpreadConstraints[%d]: doesn't count the pods that it is for", i)
		}
	}
	affinity := pod.Spec.Affinity
	if affinity == nil {
		return
	}
	check := func(where string, terms []corev1.PodAffinityTerm, weighted []corev1.WeightedPodAffinityTerm) {
		for _, term := range weighted {
			terms = append(terms, term.PodAffinityTerm)
		}
		for _, term := range terms {
			if len(term.Namespaces) == 0 && term.NamespaceSelector == nil && term.LabelSelector != nil {
				c.someSelected(where, term.LabelSelector)
			}
		}
	}
	if near := affinity.PodAffinity; near != nil {
		check("podAffinity", near.RequiredDuringSchedulingIgnoredDuringExecution, near.PreferredDuringSchedulingIgnoredDuringExecution)
	}
	if far := affinity.PodAntiAffinity; far != nil {
		check("podAntiAffinity", far.RequiredDuringSchedulingIgnoredDuringExecution, far.PreferredDuringSchedulingIgnoredDuringExecution)
	}
}

func (c referenceCheck) selected(selector *metav1.LabelSelector) []replica {
	var found []replica
	for _, r := range c.around {
		if selects(selector, &r.pod) {
			found = append(found, r)
		}
	}
	return found
}

func (c referenceCheck) someSelected(where string, selector *metav1.LabelSelector) {
	if len(c.selected(selector)) == 0 {
		c.bad("%s: selects no pod", where)
	}
}

// A pod of a StatefulSet has a label of the set's name, a dash and ten characters.
const longestSet = 63 - 11

// statefulSet wants the headless Service that gives each pod its name.
func (c referenceCheck) statefulSet(set *appsv1.StatefulSet) {
	if len(set.Name) > longestSet {
		c.bad("metadata.name: over %d characters no pod can be labelled with it", longestSet)
	}
	name := set.Spec.ServiceName
	if name == "" {
		return
	}
	o := c.neighbour("Service", name)
	if o == nil {
		c.bad("spec.serviceName: there is no Service/%s", name)
		return
	}
	service, ok := o.typed.(*corev1.Service)
	if !ok {
		return
	}
	if service.Spec.ClusterIP != corev1.ClusterIPNone {
		c.bad("spec.serviceName: Service/%s isn't headless", name)
	}
	for _, r := range podsOf(c.object) {
		if !selects(&metav1.LabelSelector{MatchLabels: service.Spec.Selector}, &r.pod) {
			c.bad("spec.serviceName: Service/%s doesn't select %s", name, r.pod.Name)
			return
		}
	}
}

// service wants pods behind a Service, each with the ports that it names.
func (c referenceCheck) service(service *corev1.Service) {
	if len(service.Spec.Selector) == 0 {
		return
	}
	behind := c.selected(&metav1.LabelSelector{MatchLabels: service.Spec.Selector})
	if len(behind) == 0 {
		c.bad("spec.selector: selects no pod")
	}
	for _, port := range service.Spec.Ports {
		for _, r := range behind {
			if port.TargetPort.Type == intstr.String && !hasPort(&r.pod, port.TargetPort.StrVal) {
				c.bad("spec.ports: %s/%s has no port %s", r.owner.gvk.Kind, r.owner.meta.GetName(), port.TargetPort.StrVal)
				break
			}
		}
	}
}

// hasPort tells whether a container that stays has a port of this name.
func hasPort(pod *corev1.Pod, name string) bool {
	for _, container := range containersOf(pod) {
		if container.role == "init" {
			continue
		}
		for _, port := range container.spec.Ports {
			if port.Name == name {
				return true
			}
		}
	}
	return false
}

// budget wants pods to protect, and no second budget for them: two make every eviction fail.
func (c referenceCheck) budget(budget *policyv1.PodDisruptionBudget) {
	protected := c.selected(budget.Spec.Selector)
	if len(protected) == 0 {
		c.bad("spec.selector: selects no pod")
	}
	for _, other := range c.ofKind("PodDisruptionBudget", budget.Namespace) {
		second, ok := other.typed.(*policyv1.PodDisruptionBudget)
		if !ok || other == c.object {
			continue
		}
		for _, r := range protected {
			if selects(second.Spec.Selector, &r.pod) {
				c.bad("spec.selector: PodDisruptionBudget/%s selects %s too", second.Name, r.pod.Name)
				break
			}
		}
	}
}

func (c referenceCheck) ingress(ingress *networkingv1.Ingress) {
	check := func(where string, backend *networkingv1.IngressBackend) {
		if backend != nil && backend.Service != nil {
			c.backend(where, backend.Service)
		}
	}
	check("spec.defaultBackend", ingress.Spec.DefaultBackend)
	for _, rule := range ingress.Spec.Rules {
		if rule.HTTP == nil {
			continue
		}
		for _, path := range rule.HTTP.Paths {
			check(rule.Host+path.Path, &path.Backend)
		}
	}
	for _, tls := range ingress.Spec.TLS {
		if tls.SecretName != "" {
			c.secret(tls.SecretName)
		}
	}
}

func (c referenceCheck) backend(where string, backend *networkingv1.IngressServiceBackend) {
	o := c.neighbour("Service", backend.Name)
	if o == nil {
		c.bad("%s: there is no Service/%s", where, backend.Name)
		return
	}
	service, ok := o.typed.(*corev1.Service)
	if !ok {
		return
	}
	for _, port := range service.Spec.Ports {
		if backend.Port.Name != "" && port.Name == backend.Port.Name || backend.Port.Name == "" && port.Port == backend.Port.Number {
			return
		}
	}
	c.bad("%s: Service/%s has no port %s%s", where, backend.Name, backend.Port.Name, strings.TrimPrefix(fmt.Sprint(backend.Port.Number), "0"))
}

// roleBinding wants the Role and the ServiceAccounts; a ClusterRole is the cluster's.
func (c referenceCheck) roleBinding(binding *rbacv1.RoleBinding) {
	if binding.RoleRef.Kind == "Role" {
		c.exists("roleRef", "Role", binding.RoleRef.Name)
	}
	for _, subject := range binding.Subjects {
		if subject.Kind != rbacv1.ServiceAccountKind {
			continue
		}
		if c.find("ServiceAccount", subject.Namespace, subject.Name) == nil {
			c.bad("subjects: there is no ServiceAccount/%s in %s", subject.Name, subject.Namespace)
		}
	}
}

// podMonitor wants pods to scrape at ports that they have.
func (c referenceCheck) podMonitor() {
	var monitor struct {
		Spec struct {
			Selector  metav1.LabelSelector `json:"selector"`
			Endpoints []struct {
				Port string `json:"port"`
			} `json:"podMetricsEndpoints"`
		} `json:"spec"`
	}
	if err := yamljson.Unmarshal(c.object.text, &monitor); err != nil {
		c.bad("%v", err)
		return
	}
	scraped := c.selected(&monitor.Spec.Selector)
	if len(scraped) == 0 {
		c.bad("spec.selector: selects no pod")
	}
	for _, endpoint := range monitor.Spec.Endpoints {
		for _, r := range scraped {
			if endpoint.Port != "" && !hasPort(&r.pod, endpoint.Port) {
				c.bad("spec.podMetricsEndpoints: %s/%s has no port %s", r.owner.gvk.Kind, r.owner.meta.GetName(), endpoint.Port)
				break
			}
		}
	}
}
