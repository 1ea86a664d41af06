package main

import (
	"fmt"
	"io"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
)

// checksum is what rolls pods when their config changes: a package may make it in its own way.
const checksum = "checksum/config"

// printDifferent prints the objects that two deployments don't have alike, after their defaults; a
// namespace may be in one only, because an installer makes it.
func printDifferent(out io.Writer, one, other *manifests) error {
	bad := 0
	for _, o := range one.objects {
		if problem := different(o, other); problem != "" {
			bad++
			fmt.Fprintf(out, "%s: %s\n", o, problem)
		}
	}
	for _, o := range other.objects {
		if o.gvk.Kind != "Namespace" && (o.undecoded() || one.byName[o.gvk.Kind][key(o)] == nil) {
			bad++
			fmt.Fprintf(out, "%s: is not in the first\n", o)
		}
	}
	fmt.Fprintf(out, "%d objects, %d bad\n", len(one.objects), bad)
	if bad > 0 {
		return errBad
	}
	return nil
}

func key(o *object) string { return o.meta.GetNamespace() + "/" + o.meta.GetName() }

func different(o *object, others *manifests) string {
	if o.undecoded() || len(o.problems) > 0 {
		return fmt.Sprintf("not decoded: %v", o.problems)
	}
	other := others.byName[o.gvk.Kind][key(o)]
	switch {
	case other == nil && o.gvk.Kind == "Namespace":
		return ""
	case other == nil:
		return "is not in the second"
	case o.typed == nil || other.typed == nil:
		return ""
	}
	forget(o)
	forget(other)
	if !equality.Semantic.DeepEqual(o.typed, other.typed) {
		return fmt.Sprintf("differs from %s", other)
	}
	return ""
}

// forget removes the checksum of a workload.
func forget(o *object) {
	var pod *corev1.PodTemplateSpec
	switch workload := o.typed.(type) {
	case *appsv1.StatefulSet:
		pod = &workload.Spec.Template
	case *appsv1.Deployment:
		pod = &workload.Spec.Template
	case *appsv1.DaemonSet:
		pod = &workload.Spec.Template
	case *batchv1.Job:
		pod = &workload.Spec.Template
	default:
		return
	}
	delete(pod.Annotations, checksum)
}
