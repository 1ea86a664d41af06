// Kubernetes-apiserver is a kube-apiserver with an etcd of its own, in one process: the whole server,
// with its default admission plugins, and nothing that would act on what it stores. It ends with the
// process that started it, and what it stored is of no use any more then.
//
//	kubernetes-apiserver -folder FOLDER [-emulate VERSION]
//
// The folder takes the data, the certificate apiserver.crt, a token for someone who may do anything,
// and, as soon as the server is ready, its address in the file url.
package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/pflag"
	"go.etcd.io/etcd/server/v3/embed"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/client-go/rest"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
	"k8s.io/kubernetes/cmd/kube-apiserver/app/options"
)

// deadline is for each of the two to be ready. It takes seconds unless the machine is very busy.
const deadline = 3 * time.Minute

func main() {
	folder := flag.String("folder", "", "an empty `folder` for all files")
	emulate := flag.String("emulate", "", "the `version` of Kubernetes whose features the server has (default: its own)")
	flag.Parse()
	go endWithParent(os.Getppid())
	if err := run(*folder, *emulate); err != nil {
		fmt.Fprintf(os.Stderr, "kubernetes-apiserver: %v\n", err)
		os.Exit(2)
	}
}

// endWithParent ends a server that nobody stops any more.
func endWithParent(parent int) {
	for os.Getppid() == parent {
		time.Sleep(time.Second)
	}
	os.Exit(1)
}

func run(folder, emulate string) error {
	if folder == "" {
		return fmt.Errorf("name a folder")
	}
	store, err := startStore(filepath.Join(folder, "etcd"))
	if err != nil {
		return fmt.Errorf("etcd: %w", err)
	}
	token := rand.Text()
	flags, err := writeIdentities(folder, token)
	if err != nil {
		return err
	}
	flags = append(flags, "--etcd-servers="+store, "--cert-dir="+folder)
	if emulate != "" {
		flags = append(flags, "--emulated-version="+emulate)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	failed := make(chan error, 2)
	go func() { failed <- serve(listener, flags) }()
	go func() {
		if err := announce(folder, "https://"+listener.Addr().String(), token); err != nil {
			failed <- err
		}
	}()
	return <-failed
}

// startStore starts etcd and gives its address.
func startStore(folder string) (string, error) {
	config := embed.NewConfig()
	config.Dir = folder
	config.LogLevel = "warn"
	// There is nothing that should outlive a crash.
	config.UnsafeNoFsync = true
	free := []url.URL{{Scheme: "http", Host: "127.0.0.1:0"}}
	config.ListenClientUrls, config.AdvertiseClientUrls = free, free
	config.ListenPeerUrls, config.AdvertisePeerUrls = free, free
	config.InitialCluster = config.InitialClusterFromName(config.Name)
	store, err := embed.StartEtcd(config)
	if err != nil {
		return "", err
	}
	select {
	case <-store.Server.ReadyNotify():
	case err := <-store.Err():
		return "", err
	case <-time.After(deadline):
		return "", fmt.Errorf("not ready after %v", deadline)
	}
	return "http://" + store.Clients[0].Addr().String(), nil
}

// writeIdentities makes what the server knows its clients by, and gives the flags that say so.
func writeIdentities(folder, token string) ([]string, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	encoded, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		return nil, err
	}
	key := filepath.Join(folder, "service-accounts.key")
	tokens := filepath.Join(folder, "tokens.csv")
	for path, content := range map[string][]byte{
		key:                            pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: encoded}),
		tokens:                         []byte(token + ",admin,admin,system:masters\n"),
		filepath.Join(folder, "token"): []byte(token),
	} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			return nil, err
		}
	}
	return []string{
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + key,
		"--service-account-signing-key-file=" + key,
		"--token-auth-file=" + tokens,
	}, nil
}

// serve is what the command kube-apiserver does, but for the listener, which is there already: so
// nobody else can take its port.
func serve(listener net.Listener, args []string) error {
	server := options.NewServerRunOptions()
	server.SecureServing.Listener = listener
	server.SecureServing.BindPort = listener.Addr().(*net.TCPAddr).Port
	flags := pflag.NewFlagSet("kube-apiserver", pflag.ContinueOnError)
	for _, set := range server.Flags().FlagSets {
		flags.AddFlagSet(set)
	}
	if err := flags.Parse(append(args,
		"--bind-address=127.0.0.1",
		"--advertise-address=127.0.0.1",
		// There is no address of the server that pods could reach.
		"--endpoint-reconciler-type=none",
		"--service-cluster-ip-range=10.96.0.0/16",
		"--authorization-mode=RBAC",
	)); err != nil {
		return err
	}
	if err := server.GenericServerRunOptions.ComponentGlobalsRegistry.Set(); err != nil {
		return err
	}
	// The warnings to the server's own clients are nobody's business.
	rest.SetDefaultWarningHandler(rest.NoWarnings{})
	ctx := context.Background()
	completed, err := server.Complete(ctx)
	if err != nil {
		return err
	}
	if errs := completed.Validate(); len(errs) > 0 {
		return utilerrors.NewAggregate(errs)
	}
	return app.Run(ctx, completed)
}

// announce waits until the server is ready and writes its address.
func announce(folder, address, token string) error {
	last := fmt.Errorf("not asked yet")
	for end := time.Now().Add(deadline); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if last = ready(filepath.Join(folder, "apiserver.crt"), address, token); last == nil {
			written := filepath.Join(folder, "url.part")
			if err := os.WriteFile(written, []byte(address), 0o600); err != nil {
				return err
			}
			return os.Rename(written, filepath.Join(folder, "url"))
		}
	}
	return fmt.Errorf("not ready after %v: %w", deadline, last)
}

func ready(certificate, address, token string) error {
	content, err := os.ReadFile(certificate)
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(content)
	client := http.Client{
		Timeout:   5 * time.Second,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, DisableKeepAlives: true},
	}
	request, err := http.NewRequest(http.MethodGet, address+"/readyz?verbose", nil)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", response.Status, body)
	}
	return err
}
