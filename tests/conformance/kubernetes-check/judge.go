package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/version"
	genericapirequest "k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/rest"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	baseversion "k8s.io/component-base/version"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	"k8s.io/kubernetes/pkg/apis/core"
	podsecurity "k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

// judge does what a server does when it creates an object.
type judge struct {
	// level is empty when the Namespace decides.
	level     podsecurity.Level
	evaluator policy.Evaluator
	allowed   []string
	// strictNames: servers before 1.32 take fewer names for environment variables.
	strictNames bool
}

// The oldest whose feature gates a server of this version can still emulate is three minors back.
const emulated = 3

func (j *judge) configure(level, oldest string, allowed []string) error {
	j.allowed = allowed
	if level != "" {
		parsed, err := podsecurity.ParseLevel(level)
		if err != nil {
			return err
		}
		j.level = parsed
	}
	var err error
	if j.evaluator, err = newEvaluator(); err != nil {
		return err
	}
	if oldest == "" {
		return nil
	}
	wanted, err := version.ParseGeneric(oldest)
	if err != nil {
		return err
	}
	j.strictNames = wanted.LessThan(version.MajorMinor(1, 32))
	built := version.MustParseGeneric(baseversion.DefaultKubeBinaryVersion)
	if built.LessThan(wanted) {
		return fmt.Errorf("this program is Kubernetes %s, older than %s", built, wanted)
	}
	if floor := built.SubtractMinor(emulated); wanted.LessThan(floor) {
		wanted = floor
	}
	return utilfeature.DefaultMutableFeatureGate.SetEmulationVersion(wanted)
}

// examine tells what a server would refuse, or warn of.
func (j *judge) examine(d *manifests, o *object) {
	if o.typed == nil {
		return
	}
	if err := create(o, j.warn(o)); err != nil {
		for _, problem := range causes(err) {
			o.bad("%s", problem)
		}
	}
	j.checkSecurity(d, o)
	if j.strictNames {
		checkStrictNames(d, o)
	}
}

// warn takes a warning for a failure unless it is allowed.
func (j *judge) warn(o *object) func(string) {
	return func(text string) {
		for _, allowed := range j.allowed {
			if strings.Contains(text, allowed) {
				return
			}
		}
		o.bad("warning: %s", text)
	}
}

// create goes the way of a request to create the object, up to where a server would store it.
func create(o *object, warn func(string)) error {
	strategy := strategies[o.gvk]
	internal, err := legacyscheme.Scheme.ConvertToVersion(o.typed.DeepCopyObject(), schema.GroupVersion{Group: o.gvk.Group, Version: runtime.APIVersionInternal})
	if err != nil {
		return err
	}
	accessor, err := meta.Accessor(internal)
	if err != nil {
		return err
	}
	rest.FillObjectMetaSystemFields(accessor)
	// The storage of services does this before it asks the strategy.
	if service, ok := internal.(*core.Service); ok && service.Spec.ClusterIP != "" && len(service.Spec.ClusterIPs) == 0 {
		service.Spec.ClusterIPs = []string{service.Spec.ClusterIP}
	}
	ctx := genericapirequest.WithNamespace(context.Background(), accessor.GetNamespace())
	ctx = genericapirequest.WithRequestInfo(ctx, &genericapirequest.RequestInfo{
		IsResourceRequest: true,
		APIGroup:          o.gvk.Group,
		APIVersion:        o.gvk.Version,
		Verb:              "create",
	})
	if err := rest.BeforeCreate(strategy, ctx, internal); err != nil {
		return err
	}
	for _, text := range strategy.WarningsOnCreate(ctx, internal) {
		warn(text)
	}
	return nil
}

// causes takes a refusal apart. The name of the object and its kind are said already.
func causes(err error) []string {
	var status apierrors.APIStatus
	if !errors.As(err, &status) || status.Status().Details == nil || len(status.Status().Details.Causes) == 0 {
		return []string{err.Error()}
	}
	var texts []string
	for _, cause := range status.Status().Details.Causes {
		texts = append(texts, cause.Field+": "+cause.Message)
	}
	return texts
}

// checkSecurity holds pods against the level that their namespace enforces.
func (j *judge) checkSecurity(d *manifests, o *object) {
	template := templateOf(o)
	if template == nil {
		return
	}
	enforced := podsecurity.LevelVersion{Level: j.level, Version: podsecurity.LatestVersion()}
	if enforced.Level == "" {
		var err error
		if enforced, err = levelOf(d.find("Namespace", "", o.meta.GetNamespace())); err != nil {
			o.bad("%v", err)
			return
		}
	}
	result := policy.AggregateCheckResults(j.evaluator.EvaluatePod(enforced, &template.ObjectMeta, &template.Spec))
	if !result.Allowed {
		o.bad("Pod Security %s: %s", enforced, result.ForbiddenDetail())
	}
}

// levelOf reads the labels of a Namespace. Without one a manifest has to be good enough for any.
func levelOf(namespace *object) (podsecurity.LevelVersion, error) {
	level := podsecurity.LevelVersion{Level: podsecurity.LevelRestricted, Version: podsecurity.LatestVersion()}
	if namespace == nil {
		return level, nil
	}
	labels := namespace.meta.GetLabels()
	var err error
	if text, ok := labels[podsecurity.EnforceLevelLabel]; ok {
		if level.Level, err = podsecurity.ParseLevel(text); err != nil {
			return level, fmt.Errorf("Namespace/%s: %s: %w", namespace.meta.GetName(), podsecurity.EnforceLevelLabel, err)
		}
	}
	if text, ok := labels[podsecurity.EnforceVersionLabel]; ok {
		if level.Version, err = podsecurity.ParseVersion(text); err != nil {
			return level, fmt.Errorf("Namespace/%s: %s: %w", namespace.meta.GetName(), podsecurity.EnforceVersionLabel, err)
		}
	}
	return level, nil
}

// checkStrictNames refuses names of variables as servers before 1.32 do. Of those that come from
// a ConfigMap such a kubelet drops what it can't take, and starts the process without it.
func checkStrictNames(d *manifests, o *object) {
	template := templateOf(o)
	if template == nil {
		return
	}
	check := func(name, where string) {
		if len(validation.IsEnvVarName(name)) > 0 {
			o.bad("%s: Kubernetes before 1.32 can't take the variable %q", where, name)
		}
	}
	for _, c := range containersOf(&corev1.Pod{Spec: template.Spec}) {
		for _, variable := range c.spec.Env {
			check(variable.Name, c.spec.Name)
		}
		for _, source := range c.spec.EnvFrom {
			if source.ConfigMapRef == nil {
				continue
			}
			if config := configMap(d.find("ConfigMap", o.meta.GetNamespace(), source.ConfigMapRef.Name)); config != nil {
				for key := range config.Data {
					check(source.Prefix+key, c.spec.Name)
				}
			}
		}
	}
}
