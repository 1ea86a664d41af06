// Kubernetes-fields finds the fields in manifests that the oldest supported version of Kubernetes
// doesn't know. A server of that version would drop them without a word, or refuse them when asked
// to be strict. The rules of that version can't be had any more, its types can: they are the version
// of k8s.io/api in go.mod.
//
//	kubernetes-fields [check] PATH...
//
// A PATH is a YAML file, or a folder whose *.yaml files are read. A line is printed for each bad
// object; then the program ends with 1, and with 2 when it can't run.
package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

// types makes an empty object for each kind that manifests may have.
var types = map[string]func() any{
	"apps/v1/DaemonSet":                        func() any { return new(appsv1.DaemonSet) },
	"apps/v1/Deployment":                       func() any { return new(appsv1.Deployment) },
	"apps/v1/StatefulSet":                      func() any { return new(appsv1.StatefulSet) },
	"batch/v1/Job":                             func() any { return new(batchv1.Job) },
	"networking.k8s.io/v1/Ingress":             func() any { return new(networkingv1.Ingress) },
	"networking.k8s.io/v1/NetworkPolicy":       func() any { return new(networkingv1.NetworkPolicy) },
	"policy/v1/PodDisruptionBudget":            func() any { return new(policyv1.PodDisruptionBudget) },
	"rbac.authorization.k8s.io/v1/Role":        func() any { return new(rbacv1.Role) },
	"rbac.authorization.k8s.io/v1/RoleBinding": func() any { return new(rbacv1.RoleBinding) },
	"v1/ConfigMap":                             func() any { return new(corev1.ConfigMap) },
	"v1/Namespace":                             func() any { return new(corev1.Namespace) },
	"v1/PersistentVolume":                      func() any { return new(corev1.PersistentVolume) },
	"v1/PersistentVolumeClaim":                 func() any { return new(corev1.PersistentVolumeClaim) },
	"v1/Pod":                                   func() any { return new(corev1.Pod) },
	"v1/Secret":                                func() any { return new(corev1.Secret) },
	"v1/Service":                               func() any { return new(corev1.Service) },
	"v1/ServiceAccount":                        func() any { return new(corev1.ServiceAccount) },
}

// custom are the kinds that no server knows by itself.
var custom = map[string]bool{"monitoring.coreos.com/v1/PodMonitor": true}

// notObjects are files beside manifests that no server ever sees.
var notObjects = map[string]bool{"kustomization.yaml": true, "Chart.yaml": true, "values.yaml": true}

func main() {
	args := os.Args[1:]
	if len(args) > 0 && args[0] == "check" {
		args = args[1:]
	}
	counts, err := run(args)
	if err != nil {
		fmt.Fprintf(os.Stderr, "kubernetes-fields: %v\n", err)
		os.Exit(2)
	}
	fmt.Printf("%d objects, %d bad\n", counts.objects, counts.bad)
	if counts.bad > 0 {
		os.Exit(1)
	}
}

type counts struct{ objects, bad int }

func run(paths []string) (counts, error) {
	var all counts
	if len(paths) == 0 {
		return all, errors.New("name the files to read")
	}
	for _, root := range paths {
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			if path != root && filepath.Ext(path) != ".yaml" || notObjects[entry.Name()] {
				return nil
			}
			return all.file(path)
		})
		if err != nil {
			return all, err
		}
	}
	if all.objects == 0 {
		return all, fmt.Errorf("there is no object in %q", paths)
	}
	return all, nil
}

// file checks the objects of a file.
func (c *counts) file(path string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	reader := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(content)))
	for index := 0; ; index++ {
		text, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s[%d]: %w", path, index, err)
		}
		var head metav1.PartialObjectMetadata
		err = yaml.Unmarshal(text, &head)
		if err == nil && head.Kind == "" && head.APIVersion == "" && head.Name == "" {
			continue // only comments
		}
		c.objects++
		if err == nil {
			err = check(head.APIVersion+"/"+head.Kind, text)
		}
		if err != nil {
			c.bad++
			fmt.Printf("%s[%d] %s/%s: %s\n", path, index, head.Kind, head.Name, strings.Join(strings.Fields(err.Error()), " "))
		}
	}
}

// check reads an object into its type, which must have every field of it.
func check(kind string, text []byte) error {
	if custom[kind] {
		return nil
	}
	empty, known := types[kind]
	if !known {
		return fmt.Errorf("%s isn't a kind that this program knows", kind)
	}
	return yaml.UnmarshalStrict(text, empty())
}
