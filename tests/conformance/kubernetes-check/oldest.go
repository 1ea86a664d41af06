//go:build oldest

package main

import (
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	batchvalidation "k8s.io/kubernetes/pkg/apis/batch/validation"
	"k8s.io/pod-security-admission/policy"
)

type objectTyper = *runtime.Scheme

func newObjectTyper() objectTyper { return legacyscheme.Scheme }

var validateJob = batchvalidation.ValidateJob

func newEvaluator() (policy.Evaluator, error) {
	return policy.NewEvaluator(policy.DefaultChecks())
}
