# shellcheck shell=bash
# A Kubernetes cluster of one node, of the checks' own: the API server with its store, controllers, scheduler,
# kubelet, proxy and name server of Kubernetes' modules, and containerd as Debian has it. To be sourced in the
# root of the project, behind tools.sh, common.sh and docker-engine.sh.
#
# All of it is in namespaces for processes, mounts and the network, from which nothing else can be reached, and
# ends with the first process in there. What it keeps is in $scratch, but for its cgroups. `stop_node` removes
# those. So nothing is left, however this ends.

# What the node is called: the address of its bridge, so that nobody has to look the name up.
node_address=10.244.0.1

# Runs a command on the node, as root there.
in_node() {
  nsenter --target "$node_process" --mount --net --pid="/proc/$node_process/ns/pid_for_children" -- "$@"
}

# The API server listens on the node alone.
kubectl() {
  nsenter --target "$node_process" --net -- "$node_program" kubectl "$@"
}

# The client of containerd, for the containers of the kubelet.
ctr() {
  in_node ctr --address "$node_folder/containerd.sock" --namespace k8s.io "$@"
}

# Has one of the Docker Engine's images on the node, by the same name.
publish_image() {
  docker save "$1" | ctr images import - > /dev/null
}

# Says what is in a file of a container that has ended, by its snapshot.
read_snapshot() {
  # shellcheck disable=SC2016
  in_node unshare --mount bash -c 'eval "$0" && cat "/mnt/$1"' \
    "$(ctr snapshots mounts /mnt "$1")" "$2"
}

# Starts it. The argument is an image of the Docker Engine whose process does nothing: each pod has one to keep
# its namespaces. What is exported is all that other processes need for the functions here.
start_node() {
  local pause=$1 apiserver publishing name
  # shellcheck disable=SC2154
  export node_folder=$scratch/node KUBECONFIG=$scratch/node/kubeconfig
  for name in ip:iproute2 iptables:iptables jq:jq ctr:containerd runc:runc; do
    if ! command -v "${name%:*}" > /dev/null; then install_packages "${name#*:}"; fi
  done
  [ -x /usr/lib/cni/bridge ] || install_packages containernetworking-plugins
  build_program kubernetes-apiserver tests/conformance/kubernetes-apiserver
  # shellcheck disable=SC2154
  apiserver=$program
  # Without it they don't know which version they are.
  build_program kubernetes-node tests/conformance/kubernetes-node \
    -ldflags '-s -w -X k8s.io/component-base/version.gitVersion=v1.37.2'
  export node_program=$program
  mkdir -p "$node_folder"/{apiserver,cni,volumes}
  write_node_settings "$pause"

  # In there are folders of its own where those keep something that can't be told another one.
  # shellcheck disable=SC2016
  unshare --mount --net --pid --mount-proc --kill-child bash -c '
    set -e
    for folder in /run /var/lib /var/log; do mount -t tmpfs tmpfs "$folder"; done
    ip link set lo up
    ip link add pods type bridge
    ip address add "$1/16" dev pods
    ip link set pods up
    echo 1 > /proc/sys/net/ipv4/ip_forward
    touch "$0/is-there"
    # Somebody has to wait for those whose parents ended.
    sleep infinity &
    wait' "$node_folder" "$node_address" > "$node_folder/node.log" 2>&1 &
  export node_process=$!
  await_node node test -f "$node_folder/is-there"
  make_cgroups

  run_on_node containerd containerd --config "$node_folder/containerd.toml"
  run_on_node apiserver "$apiserver" -folder "$node_folder/apiserver"
  await_node containerd ctr version
  publish_image "$pause" &
  publishing=$!
  await_node apiserver test -f "$node_folder/apiserver/url"
  write_kubeconfig
  run_on_node controllers "$node_program" kube-controller-manager --kubeconfig "$KUBECONFIG" --leader-elect=false \
    --bind-address 127.0.0.1 --cert-dir "$node_folder/controllers" --root-ca-file "$node_folder/apiserver/apiserver.crt"
  run_on_node scheduler "$node_program" kube-scheduler --kubeconfig "$KUBECONFIG" --leader-elect=false \
    --bind-address 127.0.0.1 --cert-dir "$node_folder/scheduler"
  run_on_node kubelet "$node_program" kubelet --kubeconfig "$KUBECONFIG" --config "$node_folder/kubelet.yaml" \
    --root-dir "$node_folder/kubelet" --cert-dir "$node_folder/kubelet-certificates" \
    --hostname-override "$node_address" --node-ip "$node_address"
  run_on_node coredns "$node_program" coredns -conf "$node_folder/Corefile"
  await_node kubelet is_node_ready
  # The sysctls for connections are the machine's own.
  run_on_node proxy "$node_program" kube-proxy --kubeconfig "$KUBECONFIG" --hostname-override "$node_address" \
    --proxy-mode iptables --masquerade-all --cluster-cidr 10.244.0.0/16 --conntrack-max-per-core 0 \
    --conntrack-tcp-timeout-established 0 --conntrack-tcp-timeout-close-wait 0
  wait "$publishing"
  kubectl apply --server-side --filename - > /dev/null <<CLASS
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: { name: local, annotations: { storageclass.kubernetes.io/is-default-class: "true" } }
provisioner: kubernetes.io/no-provisioner
CLASS
  provide_volumes > "$node_folder/volumes.log" 2>&1 &
  volumes=$!
}

# Ends all that is in there at once, and so its mounts. A cgroup can be removed when its processes are gone.
stop_node() {
  local folder
  if [ -n "${volumes:-}" ]; then
    kill "$volumes" 2> /dev/null || true
    wait "$volumes" 2> /dev/null || true
  fi
  if [ -z "${node_process:-}" ]; then return; fi
  kill -KILL "$node_process" 2> /dev/null || true
  wait "$node_process" 2> /dev/null || true
  for folder in $(node_cgroups); do
    for _ in {1..100}; do
      if [ ! -d "$folder" ]; then break; fi
      find "$folder" -depth -type d -exec rmdir {} + 2> /dev/null || sleep 0.1
    done
    if [ -d "$folder" ]; then echo "left over: $folder" >&2; fi
  done
  node_process=
}

# Starts a program on the node. The first argument is the name of its log.
run_on_node() {
  local name=$1
  shift
  in_node "$@" > "$node_folder/$name.log" 2>&1 &
  # Bash would say that it was killed.
  disown "$!"
}

# Waits until a command succeeds; if it never does, a log says why.
await_node() {
  local log=$1
  shift
  for _ in {1..300}; do
    if "$@" > "$scratch/said" 2>&1; then return; fi
    kill -0 "$node_process" 2> /dev/null || break
    sleep 0.3
  done
  tail -n 20 "$node_folder/$log.log" "$scratch/said" >&2
  fail "a Kubernetes node was started, and is not ready: $*"
}

is_node_ready() {
  [ "$(kubectl get node "$node_address" --output 'jsonpath={.status.conditions[?(@.type=="Ready")].status}')" = True ]
}

# The cgroup of all pods in each hierarchy, of either version.
node_cgroups() {
  awk -v name="flokkr-$$" '$3 ~ /^cgroup2?$/ { print $2 "/" name }' /proc/mounts
}

make_cgroups() {
  node_cgroups | xargs mkdir -p
}

# The bytes that all pods have in use, less what the kernel may drop.
node_memory() {
  local folder
  for folder in $(node_cgroups); do
    folder+=/kubepods
    if [ -f "$folder/memory.usage_in_bytes" ]; then
      echo "$(($(cat "$folder/memory.usage_in_bytes") - $(awk '$1 == "total_inactive_file" { print $2 }' "$folder/memory.stat")))"
    elif [ -f "$folder/memory.current" ]; then
      echo "$(($(cat "$folder/memory.current") - $(awk '$1 == "inactive_file" { print $2 }' "$folder/memory.stat")))"
    fi
  done
}

# Makes a volume for each claim there is, as soon as it is there, in a folder of its own. It is the kubelet that gives
# a `local` volume to the fsGroup of its first pod.
provide_volumes() {
  local namespace claim uid size mode class
  while kill -0 "$node_process" 2> /dev/null; do
    kubectl get persistentvolumeclaims --all-namespaces --watch --output 'jsonpath={.metadata.namespace} {.metadata.name} '\
'{.metadata.uid} {.spec.resources.requests.storage} {.spec.accessModes[0]} {.spec.storageClassName} {.spec.volumeName}{"\n"}' |
      while read -r namespace claim uid size mode class volume; do
        if [ -n "$volume" ] || [ -d "$node_folder/volumes/$uid" ]; then continue; fi
        mkdir "$node_folder/volumes/$uid"
        kubectl apply --server-side --filename - <<VOLUME
apiVersion: v1
kind: PersistentVolume
metadata: { name: "$uid" }
spec:
  capacity: { storage: "$size" }
  accessModes: ["$mode"]
  persistentVolumeReclaimPolicy: Retain
  storageClassName: "$class"
  claimRef: { apiVersion: v1, kind: PersistentVolumeClaim, namespace: "$namespace", name: "$claim", uid: "$uid" }
  local: { path: "$node_folder/volumes/$uid" }
  nodeAffinity:
    required:
      nodeSelectorTerms:
        - matchExpressions: [{ key: kubernetes.io/hostname, operator: In, values: ["$node_address"] }]
VOLUME
      done
    sleep 1
  done
}

# Removes volumes that no claim has any more, by their names.
remove_volumes() {
  local volume
  for volume in "$@"; do
    kubectl delete persistentvolume "$volume" > /dev/null
    rm -rf "$node_folder/volumes/${volume:?}"
  done
}

write_kubeconfig() {
  cat > "$KUBECONFIG" <<CONFIG
apiVersion: v1
kind: Config
clusters:
  - name: node
    cluster: { server: "$(cat "$node_folder/apiserver/url")", certificate-authority: "$node_folder/apiserver/apiserver.crt" }
users: [{ name: admin, user: { token: "$(cat "$node_folder/apiserver/token")" } }]
contexts: [{ name: node, context: { cluster: node, user: admin } }]
current-context: node
CONFIG
}

# What the programs read. Images come from nowhere but from `publish_image`.
write_node_settings() {
  local folder=$node_folder
  cat > "$folder/containerd.toml" <<CONFIG
version = 2
root = "$folder/containerd"
state = "$folder/containerd-state"
disabled_plugins = ["io.containerd.internal.v1.opt"]
[grpc]
  address = "$folder/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "$1"
  # Where this machine is a container itself, no process may be made less likely to be ended.
  restrict_oom_score_adj = true
  disable_apparmor = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$folder/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
CONFIG
  cat > "$folder/cni/pods.conflist" <<CONFIG
{
  "cniVersion": "1.0.0",
  "name": "pods",
  "plugins": [{
    "type": "bridge", "bridge": "pods", "isDefaultGateway": true, "hairpinMode": true,
    "ipam": { "type": "host-local", "dataDir": "$folder/addresses", "ranges": [[{ "subnet": "10.244.0.0/16" }]] }
  }]
}
CONFIG
  echo "nameserver $node_address" > "$folder/resolv.conf"
  cat > "$folder/Corefile" <<CONFIG
cluster.local {
  bind $node_address
  errors
  kubernetes cluster.local {
    kubeconfig $KUBECONFIG
    ttl 1
  }
}
CONFIG
  # KubeletInUserNamespace: it goes on where it may not set the machine's sysctls.
  cat > "$folder/kubelet.yaml" <<CONFIG
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: $node_address
authentication: { anonymous: { enabled: true }, webhook: { enabled: false } }
authorization: { mode: AlwaysAllow }
cgroupDriver: cgroupfs
cgroupRoot: /flokkr-$$
clusterDNS: [$node_address]
clusterDomain: cluster.local
containerRuntimeEndpoint: unix://$folder/containerd.sock
enforceNodeAllocatable: []
evictionHard: { memory.available: 50Mi, nodefs.available: 0%, imagefs.available: 0%, nodefs.inodesFree: 0% }
failCgroupV1: false
failSwapOn: false
featureGates: { KubeletInUserNamespace: true }
imageGCHighThresholdPercent: 100
makeIPTablesUtilChains: false
oomScoreAdj: 0
podLogsDir: $folder/logs
resolvConf: $folder/resolv.conf
volumePluginDir: $folder/plugins
CONFIG
}
