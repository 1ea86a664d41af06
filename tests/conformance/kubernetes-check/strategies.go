package main

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/apiserver/pkg/storage/names"
	"k8s.io/kubernetes/pkg/api/job"
	pvutil "k8s.io/kubernetes/pkg/api/persistentvolume"
	pvcutil "k8s.io/kubernetes/pkg/api/persistentvolumeclaim"
	podutil "k8s.io/kubernetes/pkg/api/pod"
	serviceutil "k8s.io/kubernetes/pkg/api/service"
	"k8s.io/kubernetes/pkg/apis/batch"
	batchvalidation "k8s.io/kubernetes/pkg/apis/batch/validation"
	"k8s.io/kubernetes/pkg/apis/core"
	"k8s.io/kubernetes/pkg/apis/core/validation"
	"k8s.io/kubernetes/pkg/registry/apps/daemonset"
	"k8s.io/kubernetes/pkg/registry/apps/deployment"
	"k8s.io/kubernetes/pkg/registry/apps/statefulset"
	"k8s.io/kubernetes/pkg/registry/networking/ingress"
	"k8s.io/kubernetes/pkg/registry/networking/networkpolicy"
	"k8s.io/kubernetes/pkg/registry/policy/poddisruptionbudget"
	"k8s.io/kubernetes/pkg/registry/rbac/role"
	"k8s.io/kubernetes/pkg/registry/rbac/rolebinding"

	// Each puts the types, defaults and conversions of its group into the scheme.
	_ "k8s.io/kubernetes/pkg/apis/apps/install"
	_ "k8s.io/kubernetes/pkg/apis/batch/install"
	_ "k8s.io/kubernetes/pkg/apis/core/install"
	_ "k8s.io/kubernetes/pkg/apis/networking/install"
	_ "k8s.io/kubernetes/pkg/apis/policy/install"
	_ "k8s.io/kubernetes/pkg/apis/rbac/install"
)

// strategies are the rules of creation for every kind that manifests may have, in the version that
// servers of today serve.
//
// Those of the core group and of jobs share their packages with the storage of the server, which
// would double the time to build this program, so they are put together below from the functions
// that they call.
var strategies = map[schema.GroupVersionKind]rest.RESTCreateStrategy{
	appsv1.SchemeGroupVersion.WithKind("DaemonSet"):             daemonset.Strategy,
	appsv1.SchemeGroupVersion.WithKind("Deployment"):            deployment.Strategy,
	appsv1.SchemeGroupVersion.WithKind("StatefulSet"):           statefulset.Strategy,
	batchv1.SchemeGroupVersion.WithKind("Job"):                  jobStrategy,
	corev1.SchemeGroupVersion.WithKind("ConfigMap"):             configMapStrategy,
	corev1.SchemeGroupVersion.WithKind("Namespace"):             namespaceStrategy,
	corev1.SchemeGroupVersion.WithKind("PersistentVolume"):      volumeStrategy,
	corev1.SchemeGroupVersion.WithKind("PersistentVolumeClaim"): claimStrategy,
	corev1.SchemeGroupVersion.WithKind("Pod"):                   podStrategy,
	corev1.SchemeGroupVersion.WithKind("Secret"):                secretStrategy,
	corev1.SchemeGroupVersion.WithKind("Service"):               serviceStrategy,
	corev1.SchemeGroupVersion.WithKind("ServiceAccount"):        serviceAccountStrategy,
	networkingv1.SchemeGroupVersion.WithKind("Ingress"):         ingress.Strategy,
	networkingv1.SchemeGroupVersion.WithKind("NetworkPolicy"):   networkpolicy.Strategy,
	policyv1.SchemeGroupVersion.WithKind("PodDisruptionBudget"): poddisruptionbudget.Strategy,
	rbacv1.SchemeGroupVersion.WithKind("Role"):                  role.Strategy,
	rbacv1.SchemeGroupVersion.WithKind("RoleBinding"):           rolebinding.Strategy,
}

// strategy is the part of a server's strategy that a creation needs. T is the internal type.
type strategy[T runtime.Object] struct {
	objectTyper
	names.NameGenerator
	cluster  bool
	prepare  func(T)
	validate func(T) field.ErrorList
	warnings func(context.Context, T) []string
}

func newStrategy[T runtime.Object](s strategy[T]) rest.RESTCreateStrategy {
	s.objectTyper, s.NameGenerator = newObjectTyper(), names.SimpleNameGenerator
	return s
}

func (s strategy[T]) NamespaceScoped() bool       { return !s.cluster }
func (s strategy[T]) Canonicalize(runtime.Object) {}

func (s strategy[T]) PrepareForCreate(_ context.Context, obj runtime.Object) {
	if typed, ok := obj.(T); ok && s.prepare != nil {
		s.prepare(typed)
	}
}

func (s strategy[T]) Validate(_ context.Context, obj runtime.Object) field.ErrorList {
	typed, ok := obj.(T)
	if !ok {
		return field.ErrorList{field.TypeInvalid(nil, obj, "is of another kind than it says")}
	}
	return s.validate(typed)
}

func (s strategy[T]) WarningsOnCreate(ctx context.Context, obj runtime.Object) []string {
	if typed, ok := obj.(T); ok && s.warnings != nil {
		return s.warnings(ctx, typed)
	}
	return nil
}

var configMapStrategy = newStrategy(strategy[*core.ConfigMap]{validate: validation.ValidateConfigMap})

var secretStrategy = newStrategy(strategy[*core.Secret]{validate: validation.ValidateSecret})

var serviceAccountStrategy = newStrategy(strategy[*core.ServiceAccount]{validate: validation.ValidateServiceAccount})

var namespaceStrategy = newStrategy(strategy[*core.Namespace]{
	cluster: true,
	prepare: func(n *core.Namespace) {
		n.Spec.Finalizers = append(n.Spec.Finalizers, core.FinalizerKubernetes)
	},
	validate: validation.ValidateNamespace,
})

var serviceStrategy = newStrategy(strategy[*core.Service]{
	validate: validation.ValidateServiceCreate,
	warnings: func(_ context.Context, s *core.Service) []string {
		return serviceutil.GetWarningsForService(s, nil)
	},
})

var claimStrategy = newStrategy(strategy[*core.PersistentVolumeClaim]{
	prepare: func(c *core.PersistentVolumeClaim) {
		pvcutil.DropDisabledFields(&c.Spec, nil)
		pvcutil.EnforceDataSourceBackwardsCompatibility(&c.Spec, nil)
		pvcutil.NormalizeDataSources(&c.Spec)
	},
	validate: func(c *core.PersistentVolumeClaim) field.ErrorList {
		return validation.ValidatePersistentVolumeClaim(c, validation.ValidationOptionsForPersistentVolumeClaim(c, nil))
	},
	warnings: func(_ context.Context, c *core.PersistentVolumeClaim) []string {
		return pvcutil.GetWarningsForPersistentVolumeClaim(c)
	},
})

var volumeStrategy = newStrategy(strategy[*core.PersistentVolume]{
	cluster: true,
	validate: func(v *core.PersistentVolume) field.ErrorList {
		return validation.ValidatePersistentVolume(v, validation.ValidationOptionsForPersistentVolume(v, nil))
	},
	warnings: func(_ context.Context, v *core.PersistentVolume) []string {
		return pvutil.GetWarningsForPersistentVolume(v)
	},
})

var podStrategy = newStrategy(strategy[*core.Pod]{
	prepare: func(p *core.Pod) {
		podutil.DropDisabledPodFields(p, nil)
	},
	validate: func(p *core.Pod) field.ErrorList {
		options := podutil.GetValidationOptionsFromPodSpecAndMeta(&p.Spec, nil, &p.ObjectMeta, nil)
		options.ResourceIsPod = true
		return validation.ValidatePodCreate(p, options)
	},
	warnings: func(ctx context.Context, p *core.Pod) []string {
		return podutil.GetWarningsForPod(ctx, p, nil)
	},
})

var jobStrategy = newStrategy(strategy[*batch.Job]{
	prepare: func(j *batch.Job) {
		selectPodsOf(j)
		podutil.DropDisabledTemplateFields(&j.Spec.Template, nil)
	},
	validate: func(j *batch.Job) field.ErrorList {
		return validateJob(j, batchvalidation.JobValidationOptions{
			PodValidationOptions:  podutil.GetValidationOptionsFromPodTemplate(&j.Spec.Template, nil),
			RequirePrefixedLabels: true,
		})
	},
	warnings: func(ctx context.Context, j *batch.Job) []string {
		return job.WarningsForJobSpec(ctx, field.NewPath("spec"), &j.Spec, nil)
	},
})

// selectPodsOf gives a job the labels and the selector that a server makes for it.
func selectPodsOf(j *batch.Job) {
	if j.Spec.ManualSelector != nil && *j.Spec.ManualSelector {
		return
	}
	uid := string(j.UID)
	if j.Spec.Template.Labels == nil {
		j.Spec.Template.Labels = map[string]string{}
	}
	for label, value := range map[string]string{
		batch.LegacyJobNameLabel:       j.Name,
		batch.JobNameLabel:             j.Name,
		batch.LegacyControllerUidLabel: uid,
		batch.ControllerUidLabel:       uid,
	} {
		// What is there already is judged by the validation.
		if _, found := j.Spec.Template.Labels[label]; !found {
			j.Spec.Template.Labels[label] = value
		}
	}
	if j.Spec.Selector == nil {
		j.Spec.Selector = &metav1.LabelSelector{}
	}
	if _, found := j.Spec.Selector.MatchLabels[batch.ControllerUidLabel]; !found {
		metav1.AddLabelToSelector(j.Spec.Selector, batch.ControllerUidLabel, uid)
	}
}
