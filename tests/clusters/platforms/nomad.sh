# shellcheck shell=bash
# Clusters on Nomad, that of nomad-agent.sh; see check.sh. To be sourced.
# shellcheck disable=SC2154

source tests/clusters/docker.sh
source tests/conformance/nomad-agent.sh

ask_nomad() {
  nsenter "--net=$engine_network" tests/clusters/platforms/nomad-state "$@"
}

# Consul is there where some cluster has its config in it.
open_platform() {
  local name
  for name in "${names[@]}"; do
    if grep -q 'config: consul' "tests/clusters/$name/blueprint.yaml"; then
      start_consul
      break
    fi
  done
  start_nomad
}

close_platform() {
  stop_agents
}

build_images() {
  bake
}

publish() {
  :
}

# Submits all jobs, and stops those whose files are gone.
apply() {
  local below=$1 file job
  shift
  rm -rf "$cluster/nomad"
  write_files nomad "$below" "$@"
  docker network inspect "$project" > /dev/null 2>&1 || docker network create "$project" > /dev/null
  if [ -f "$cluster/nomad/consul-kv.json" ]; then consul kv import "@$cluster/nomad/consul-kv.json"; fi
  for file in "$cluster"/nomad/*.nomad.hcl; do
    nomad job run -detach "$file"
  done
  for job in $(ask_nomad jobs); do
    if ! grep -qxF "job \"$job\" {" "$cluster"/nomad/*.nomad.hcl; then nomad job stop -detach -purge "$job"; fi
  done
}

stop_jobs() {
  local job
  for job in $(ask_nomad jobs); do
    nomad job stop -detach -purge "$job" > /dev/null
  done
}

# All containers of Nomad's.
containers() {
  docker ps --quiet --filter label=com.hashicorp.nomad.alloc_id "$@"
}

none_runs() {
  [ -z "$(containers)" ]
}

withdraw() {
  stop_jobs
  until_true 120 none_runs
  containers --all | xargs -r docker rm > /dev/null
  docker network rm "$project" > /dev/null
}

remove_cluster() {
  docker rm --force client > /dev/null 2>&1 || true
  {
    stop_jobs
    containers | xargs -r docker kill
    until_true 120 none_runs
    nomad system gc
    containers --all | xargs -r docker rm --force --volumes
    docker volume ls --quiet --filter "name=^$project-" | xargs -r docker volume rm
    docker network rm "$project"
  } > /dev/null 2>&1 || true
}

is_ready() {
  local status=0
  ask_nomad ready || status=$?
  [ "$status" != 2 ] || exit 1
  [ "$status" = 0 ]
}

# The container of a server: that of its process.
container() {
  ask_nomad servers | awk -v server="$1" '$1 == server && $4 == "main" { print $2 "-" $3 }'
}

is_healthy() {
  ask_nomad healthy "$1"
}

# Nomad makes a container anew whenever it starts a task.
incarnations() {
  local server task allocation main
  while read -r server task allocation main; do
    if [ -z "$main" ]; then server=$server-$task; fi
    printf '%s %s\n' "$server" "$(docker inspect --format '{{.Id}}' "$task-$allocation")"
  done < <(ask_nomad servers)
}

came_in_turn() {
  ask_nomad turns "$1"
}

# The allocation of a server.
allocation() {
  ask_nomad servers | awk -v server="$1" '$1 == server { print $3; exit }'
}

# The containers of an allocation, those of its sidecars and of its network, too.
all_of() {
  docker ps --all --quiet --filter "label=com.hashicorp.nomad.alloc_id=$1"
}

# An allocation that is stopped gets time to say goodbye: so all of its containers are gone first. Nomad would
# start them again after some seconds, in the same allocation; stopped, the server gets another one, as when its
# machine is lost.
lose() {
  local allocation
  allocation=$(allocation "$1")
  all_of "$allocation" | xargs -r docker rm --force > /dev/null
  nomad alloc stop -detach "$allocation" > /dev/null
}

lose_disk() {
  local allocation volumes
  allocation=$(allocation "$1")
  volumes=$(docker inspect --format '{{range .Mounts}}{{if eq .Type "volume"}}{{println .Name}}{{end}}{{end}}' \
    "$(container "$1")")
  all_of "$allocation" | xargs -r docker rm --force > /dev/null
  xargs -r docker volume rm <<< "$volumes" > /dev/null
  nomad alloc stop -detach "$allocation" > /dev/null
}

regain() {
  :
}

# With the config that is mounted, where there is some.
start_client() {
  local of mounts
  of=$(container "$1")
  mapfile -t mounts < <(docker inspect --format \
    '{{range .Mounts}}{{if and (eq .Type "bind") (not .RW)}}--volume={{.Source}}:{{.Destination}}:ro{{println}}{{end}}{{end}}' "$of" | grep .)
  run_client "$project" "$of" "${2:-}" 'NOMAD_.*' "${mounts[@]}"
}

keep() {
  local names
  cp "$scratch/nomad/agent.log" "$1/"
  nomad operator api /v1/allocations > "$1/allocations.json" || true
  mapfile -t names < <(docker ps --all --filter label=com.hashicorp.nomad.alloc_id --format '{{.Names}}')
  keep_containers "$1" "${names[@]}"
}
