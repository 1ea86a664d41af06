# shellcheck shell=bash
# Clusters on Kubernetes, on a node of their own; see check.sh. To be sourced.
#
# A server is a pod. One that is lost comes back by itself, and only its disk can be lost for good.
# shellcheck disable=SC2154

# shellcheck source=tests/conformance/kubernetes-node.sh
source tests/conformance/kubernetes-node.sh

own() {
  kubectl --namespace "$project" "$@"
}

# What flokkr wrote, of some kinds, and what was made of it.
generated() {
  own get "$1" --selector app.kubernetes.io/managed-by=flokkr --output json
}

open_platform() {
  printf 'FROM debian:bookworm-slim\nENTRYPOINT ["sleep", "infinity"]\n' | docker build --quiet --tag flokkr.test/pause:1 -
  start_node flokkr.test/pause:1
}

close_platform() {
  stop_node
}

build_images() {
  local image
  bake
  for image in "$cluster"/docker/*/; do
    docker images --format '{{.Repository}}:{{.Tag}}' "flokkr.test/$(basename "$image")"
  done > "$cluster/images"
  while read -r image; do publish "$image"; done < "$cluster/images"
}

publish() {
  publish_image "$1"
}

apply() {
  local below=$1
  shift
  write_files kubernetes "$below" "$@"
  kubectl apply --server-side --filename "$cluster/kubernetes" > /dev/null
}

# As docs/targets/kubernetes.md says.
withdraw() {
  own delete statefulset,deployment,daemonset,job,service,configmap,pdb \
    --selector app.kubernetes.io/managed-by=flokkr > /dev/null
  until_true 120 has_no_pods
}

has_no_pods() {
  [ -z "$(own get pods --output name)" ]
}

remove_cluster() {
  local volumes
  mapfile -t volumes < <(own get persistentvolumeclaims --output 'jsonpath={range .items[*]}{.spec.volumeName}{"\n"}{end}' | grep .)
  own delete pods --all --grace-period 1 --wait=false > /dev/null 2>&1 || true
  kubectl delete namespace "$project" --ignore-not-found > /dev/null || true
  remove_volumes "${volumes[@]}" || true
}

# Each workload has as many pods as it is to have, all of them made from what was applied last, and ready;
# there are no others. No container ended by itself and was started again.
is_ready() {
  local restarted
  generated statefulsets,deployments,daemonsets,jobs,pods > "$cluster/state"
  restarted=$(jq -r '.items[] | .metadata.name as $pod | .status | .containerStatuses[]?, .initContainerStatuses[]? |
    select(.restartCount > 0) | "\($pod)/\(.name)"' "$cluster/state" | paste -sd ' ')
  [ -z "$restarted" ] || wrong "ended, and was started again: $restarted"
  jq -e '
    def wanted: if .kind == "DaemonSet" then .status.desiredNumberScheduled
      elif .kind == "Job" then .spec.completions
      else .spec.replicas end;
    def settled: .status as $is | wanted as $wanted |
      if .kind == "DaemonSet" then $wanted > 0 and $is.updatedNumberScheduled == $wanted and $is.numberReady == $wanted
      elif .kind == "Job" then $is.succeeded == $wanted
      else $is.updatedReplicas == $wanted and $is.readyReplicas == $wanted and $is.replicas == $wanted end;
    def pods: if .kind == "Job" then 0 else wanted end;
    [.items[] | select(.kind != "Pod")] as $workloads |
    [.items[] | select(.kind == "Pod" and .status.phase != "Succeeded")] as $pods |
    ($workloads | length) > 0 and
    all($workloads[]; .kind == "Job" or .metadata.generation == .status.observedGeneration) and
    all($workloads[]; settled) and ([$workloads[] | pods] | add) == ($pods | length) and
    all($pods[]; .metadata.deletionTimestamp == null)' "$cluster/state" > /dev/null
}

# The pod of a server. Those of an ensemble may have other numbers.
pod() {
  local service=${1%-*} start
  if [[ $1 =~ -[0-9]+$ ]]; then
    start=$(own get statefulset "$service" --output 'jsonpath={.spec.ordinals.start}')
    echo "$service-$((${1##*-} + ${start:-0}))"
  else
    own get pods --selector "app.kubernetes.io/name=$1" --output 'jsonpath={.items[0].metadata.name}{"\n"}'
  fi
}

# The service of a server: what its pod's container is called, too.
service() {
  if [[ $1 =~ -[0-9]+$ ]]; then echo "${1%-*}"; else echo "$1"; fi
}

is_healthy() {
  own get pod "$(pod "$1")" --output json 2> /dev/null |
    jq -e '.metadata.deletionTimestamp == null and any(.status.conditions[]?; .type == "Ready" and .status == "True")' > /dev/null
}

incarnations() {
  generated statefulsets,pods | jq -r '
    ([.items[] | select(.kind == "StatefulSet") | { key: .metadata.name, value: (.spec.ordinals.start // 0) }] | from_entries) as $start |
    .items[] | select(.kind == "Pod") | .metadata.labels as $labels | $labels["app.kubernetes.io/name"] as $service |
    (if $start | has($service) then "-\(($labels["apps.kubernetes.io/pod-index"] | tonumber) - $start[$service])" else "" end) as $number |
    "\($service)\($number) \(.metadata.uid)/\([.status.containerStatuses[].containerID] | join(","))"'
}

# Each of its pods was made when the one before was ready.
came_in_turn() {
  own get pods --selector "app.kubernetes.io/name=$1" --output json | jq -e '
    [.items[] | { made: .metadata.creationTimestamp,
      ready: (.status.conditions[] | select(.type == "Ready" and .status == "True") | .lastTransitionTime) }] | sort_by(.made) |
    [.[:-1], .[1:]] | transpose | all(.[0].ready <= .[1].made)' > /dev/null
}

host() {
  if [[ $1 =~ -[0-9]+$ ]]; then
    echo "$(pod "$1").${1%-*}.$project.svc.cluster.local"
  else
    echo "$1.$project.svc.cluster.local"
  fi
}

inside() {
  local server=$1
  shift
  own exec --stdin "$(pod "$server")" --container "$(service "$server")" -- "$@"
}

# Ends the processes of a pod's containers at once: of all, or of one.
end_processes() {
  local containers numbers
  containers=$(own get pod "$1" --output json | jq -r --arg name "${2:-}" '.status |
    .containerStatuses[], .initContainerStatuses[]? | select(.state.running and ($name == "" or .name == $name)) |
    .containerID | ltrimstr("containerd://")')
  mapfile -t numbers < <(ctr tasks ls | awk 'NR == FNR { ours[$1]; next } $1 in ours { print $2 }' <(echo "$containers") -)
  in_node bash -c 'kill -9 "$@"' kill "${numbers[@]}"
}

# The kubelet starts the container again.
crash() {
  end_processes "$(pod "$1")" "$(service "$1")"
}

# Its controller makes another pod.
lose() {
  local pod
  pod=$(pod "$1")
  end_processes "$pod"
  own delete pod "$pod" --grace-period 1 > /dev/null
}

regain() {
  :
}

# The controller makes other claims, too.
lose_disk() {
  local pod claims volumes
  pod=$(pod "$1")
  mapfile -t claims < <(own get pod "$pod" --output json | jq -r '.spec.volumes[].persistentVolumeClaim.claimName // empty')
  mapfile -t volumes < <(own get persistentvolumeclaim "${claims[@]}" --output json |
    jq -r 'if .kind == "List" then .items[] else . end | .spec.volumeName')
  own delete persistentvolumeclaim "${claims[@]}" --wait=false > /dev/null
  lose "$1"
  remove_volumes "${volumes[@]}"
}

start_client() {
  own get pod "$(pod "$1")" --output json | jq --arg bare "${2:-}" '
    .spec.containers[0] as $server | [.spec.volumes[]? | select(.configMap)] as $volumes | {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "client", labels: (.metadata.labels | with_entries(select(.key == "apps.kubernetes.io/pod-index"))) },
      spec: {
        enableServiceLinks: false,
        automountServiceAccountToken: false,
        securityContext: .spec.securityContext,
        volumes: $volumes,
        containers: [{
          name: "client",
          image: $server.image,
          (if $bare == "bare" then "command" else "args" end): ["sleep", "infinity"],
          envFrom: ($server.envFrom // []),
          env: ([$server.env[]? | select(.name | IN("HADOOP_HEAPSIZE_MAX", "KAFKA_HEAP_OPTS") | not)] +
            [{ name: "HADOOP_HEAPSIZE_MAX", value: "128m" }, { name: "KAFKA_HEAP_OPTS", value: "-Xmx128m" }]),
          # Without a request it gets a processor only when nobody else wants one.
          resources: { requests: { cpu: "100m" } },
          securityContext: $server.securityContext,
          volumeMounts: [$server.volumeMounts[]? | select(.name | IN($volumes[].name))]
        }]
      }
    }' > "$cluster/client.json"
  own create --filename "$cluster/client.json" > /dev/null
  own wait --for=condition=Ready pod/client --timeout 60s > /dev/null
}

stop_client() {
  own delete pod client --grace-period 1 > /dev/null
}

client() {
  own exec --stdin client -- "$@"
}

memory() {
  node_memory
}

keep() {
  local pod
  own get all,persistentvolumeclaims,events --output wide > "$1/objects" 2>&1 || true
  own describe pods > "$1/pods" 2>&1 || true
  for pod in $(own get pods --output 'jsonpath={.items[*].metadata.name}'); do
    own logs "$pod" --all-containers --timestamps --prefix > "$1/$pod.log" 2>&1 || true
    own logs "$pod" --all-containers --timestamps --prefix --previous > "$1/$pod-before.log" 2> /dev/null || true
  done
  mkdir -p "$1/node"
  cp "$node_folder"/*.log "$1/node"
}
