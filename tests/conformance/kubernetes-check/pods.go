package main

import (
	"fmt"
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// replica is a pod as a controller makes it from a template.
type replica struct {
	owner *object
	pod   corev1.Pod
	// number counts from 0; ordinal is what the name of a StatefulSet's pod ends with.
	number, ordinal int
}

// templateOf finds the template of the pods that an object makes; nil when it makes none.
func templateOf(o *object) *corev1.PodTemplateSpec {
	switch typed := o.typed.(type) {
	case *appsv1.DaemonSet:
		return &typed.Spec.Template
	case *appsv1.Deployment:
		return &typed.Spec.Template
	case *appsv1.StatefulSet:
		return &typed.Spec.Template
	case *batchv1.Job:
		return &typed.Spec.Template
	case *corev1.Pod:
		return &corev1.PodTemplateSpec{ObjectMeta: typed.ObjectMeta, Spec: typed.Spec}
	}
	return nil
}

// selectorOf finds the labels by which a controller knows its pods; nil where the server makes them.
func selectorOf(o *object) *metav1.LabelSelector {
	switch typed := o.typed.(type) {
	case *appsv1.DaemonSet:
		return typed.Spec.Selector
	case *appsv1.Deployment:
		return typed.Spec.Selector
	case *appsv1.StatefulSet:
		return typed.Spec.Selector
	}
	return nil
}

// podsOf makes the pods of an object. A name that ends with a random part has x's there.
func podsOf(o *object) []replica {
	template := templateOf(o)
	if template == nil {
		return nil
	}
	var replicas []replica
	add := func(name string, count int, finish func(r *replica)) {
		for number := range count {
			r := replica{owner: o, number: number, ordinal: number}
			r.pod = corev1.Pod{ObjectMeta: *template.ObjectMeta.DeepCopy(), Spec: *template.Spec.DeepCopy()}
			r.pod.Name, r.pod.Namespace = name, o.meta.GetNamespace()
			if r.pod.Labels == nil {
				r.pod.Labels = map[string]string{}
			}
			if finish != nil {
				finish(&r)
			}
			replicas = append(replicas, r)
		}
	}
	name := o.meta.GetName()
	switch typed := o.typed.(type) {
	case *appsv1.DaemonSet:
		add(name+"-xxxxx", 1, nil)
	case *appsv1.Deployment:
		add(name+"-xxxxxxxxxx-xxxxx", number(typed.Spec.Replicas), nil)
	case *appsv1.StatefulSet:
		add("", number(typed.Spec.Replicas), func(r *replica) { r.identify(typed) })
	case *batchv1.Job:
		add(name+"-xxxxx", number(typed.Spec.Parallelism), func(r *replica) { r.index(typed) })
	case *corev1.Pod:
		add(name, 1, nil)
	}
	return replicas
}

// number reads a count whose default is one.
func number(count *int32) int {
	if count == nil {
		return 1
	}
	return int(*count)
}

// identify gives a pod the name, the labels and the volumes that a StatefulSet gives it.
func (r *replica) identify(set *appsv1.StatefulSet) {
	if set.Spec.Ordinals != nil {
		r.ordinal += int(set.Spec.Ordinals.Start)
	}
	r.pod.Name = fmt.Sprintf("%s-%d", set.Name, r.ordinal)
	r.pod.Spec.Hostname, r.pod.Spec.Subdomain = r.pod.Name, set.Spec.ServiceName
	r.pod.Labels[appsv1.StatefulSetPodNameLabel] = r.pod.Name
	r.pod.Labels[appsv1.PodIndexLabel] = strconv.Itoa(r.ordinal)
	for _, claim := range set.Spec.VolumeClaimTemplates {
		volume := corev1.Volume{Name: claim.Name}
		volume.PersistentVolumeClaim = &corev1.PersistentVolumeClaimVolumeSource{ClaimName: claim.Name + "-" + r.pod.Name}
		r.pod.Spec.Volumes = append(r.pod.Spec.Volumes, volume)
	}
}

// index gives a pod of an indexed job its number.
func (r *replica) index(job *batchv1.Job) {
	if job.Spec.CompletionMode == nil || *job.Spec.CompletionMode != batchv1.IndexedCompletion {
		return
	}
	index := strconv.Itoa(r.number)
	r.pod.Name = fmt.Sprintf("%s-%s-xxxxx", job.Name, index)
	r.pod.Labels[batchv1.JobCompletionIndexAnnotation] = index
	if r.pod.Annotations == nil {
		r.pod.Annotations = map[string]string{}
	}
	r.pod.Annotations[batchv1.JobCompletionIndexAnnotation] = index
}

// claimedByTemplate tells the claims that a StatefulSet makes by itself.
func claimedByTemplate(o *object, volume string) bool {
	set, ok := o.typed.(*appsv1.StatefulSet)
	if !ok {
		return false
	}
	for _, claim := range set.Spec.VolumeClaimTemplates {
		if claim.Name == volume {
			return true
		}
	}
	return false
}

// container is one of a pod, with the part that it plays.
type container struct {
	spec *corev1.Container
	role string
}

func containersOf(pod *corev1.Pod) []container {
	var all []container
	for i := range pod.Spec.InitContainers {
		spec := &pod.Spec.InitContainers[i]
		role := "init"
		if spec.RestartPolicy != nil && *spec.RestartPolicy == corev1.ContainerRestartPolicyAlways {
			role = "sidecar"
		}
		all = append(all, container{spec, role})
	}
	for i := range pod.Spec.Containers {
		all = append(all, container{&pod.Spec.Containers[i], "main"})
	}
	return all
}

// selects tells whether a selector takes a pod. One that can't be read takes none; the server
// says what is wrong with it.
func selects(selector *metav1.LabelSelector, pod *corev1.Pod) bool {
	parsed, err := metav1.LabelSelectorAsSelector(selector)
	return err == nil && parsed.Matches(labels.Set(pod.Labels))
}
