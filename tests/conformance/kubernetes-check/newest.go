//go:build !oldest

package main

import (
	"context"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/registry/rest"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	"k8s.io/kubernetes/pkg/apis/batch"
	batchvalidation "k8s.io/kubernetes/pkg/apis/batch/validation"
	"k8s.io/kubernetes/pkg/features"
	"k8s.io/pod-security-admission/policy"
)

// This file and oldest.go hold what differs between the versions of Kubernetes in go.mod and
// go.oldest.mod.

// objectTyper brings the validation that is declared at the fields of the types.
type objectTyper struct{ rest.DeclarativeValidation }

func newObjectTyper() objectTyper {
	return objectTyper{rest.DeclarativeValidation{Scheme: legacyscheme.Scheme}}
}

// DeclarativeValidationConfig has the options that the declarations of a kind ask for.
func (objectTyper) DeclarativeValidationConfig(_ context.Context, obj, _ runtime.Object) rest.DeclarativeValidationConfig {
	if _, ok := obj.(*batch.Job); !ok {
		return rest.DeclarativeValidationConfig{}
	}
	return rest.DeclarativeValidationConfig{Options: map[string]bool{
		string(features.WorkloadWithJob): utilfeature.DefaultFeatureGate.Enabled(features.WorkloadWithJob),
	}}
}

var validateJob = batchvalidation.ValidateJobCreate

func newEvaluator() (policy.Evaluator, error) {
	return policy.NewEvaluator(policy.DefaultChecks(), nil)
}
