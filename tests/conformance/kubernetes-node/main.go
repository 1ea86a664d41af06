// Kubernetes-node is what a node and the control plane of a cluster are made of, but for the API server
// (kubernetes-apiserver) and the container engine, in one program:
//
//	kubernetes-node COMMAND [ARGUMENT...]
//
// The commands are kubectl, kubelet, kube-controller-manager, kube-proxy and kube-scheduler, as they are, and
// coredns with few plugins.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"
	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	"github.com/spf13/cobra"
	"k8s.io/component-base/cli"
	kubectl "k8s.io/kubectl/pkg/cmd"
	"k8s.io/kubectl/pkg/cmd/util"
	controllers "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

// servers are the commands of Kubernetes that run for ever.
var servers = map[string]func() *cobra.Command{
	"kubelet":                 func() *cobra.Command { return kubelet.NewKubeletCommand(context.Background()) },
	"kube-controller-manager": controllers.NewControllerManagerCommand,
	"kube-proxy":              proxy.NewProxyCommand,
	"kube-scheduler":          func() *cobra.Command { return scheduler.NewSchedulerCommand() },
}

func main() {
	if len(os.Args) < 2 {
		fail("name a command")
	}
	os.Args = os.Args[1:]
	name := os.Args[0]
	if name == "coredns" {
		dnsserver.Directives = []string{"bind", "errors", "kubernetes"}
		coremain.Run()
		return
	}
	flag.CommandLine = withoutThoseOfCoreDNS(flag.CommandLine)
	if name == "kubectl" {
		// It ends as the command in a container did.
		util.CheckErr(cli.RunNoErrOutput(kubectl.NewDefaultKubectlCommand()))
		return
	}
	server, known := servers[name]
	if !known {
		fail("there is no command " + name)
	}
	os.Exit(cli.Run(server()))
}

// withoutThoseOfCoreDNS are the flags that the commands of Kubernetes look for among those of everyone; the
// others would become theirs, too.
func withoutThoseOfCoreDNS(all *flag.FlagSet) *flag.FlagSet {
	kept := flag.NewFlagSet(all.Name(), flag.ExitOnError)
	all.VisitAll(func(f *flag.Flag) {
		switch f.Name {
		case "conf", "dns.port", "p", "pidfile", "plugins", "quiet", "version":
		default:
			kept.Var(f.Value, f.Name, f.Usage)
		}
	})
	return kept
}

func fail(what string) {
	fmt.Fprintln(os.Stderr, "kubernetes-node: "+what)
	os.Exit(2)
}
