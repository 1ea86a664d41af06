# shellcheck shell=bash
# Clusters on Docker Compose; see check.sh. To be sourced.
# shellcheck disable=SC2154

source tests/clusters/docker.sh

compose() {
  docker compose --file "$cluster/compose/compose.yaml" "$@"
}

open_platform() {
  install_compose
}

close_platform() {
  :
}

build_images() {
  write_files compose "$blueprint"
  compose build --quiet
}

publish() {
  :
}

apply() {
  local below=$1
  shift
  write_files compose "$below" "$@"
  compose up --detach --no-build --quiet-pull --remove-orphans
}

withdraw() {
  compose down --timeout 30
}

remove_cluster() {
  docker rm --force client > /dev/null 2>&1 || true
  if [ -f "$cluster/compose/compose.yaml" ]; then compose down --volumes --timeout 5 > /dev/null 2>&1 || true; fi
}

containers() {
  docker ps --all --filter "label=com.docker.compose.project=$project" "$@"
}

# Everything is healthy, runs where nobody checks, or has ended well where it is to end. No container ended
# by itself and was started again.
is_ready() {
  local states restarted
  restarted=$(containers --quiet | xargs -r docker inspect --format '{{if .RestartCount}}{{.Name}} {{end}}' | tr -d '\n')
  [ -z "$restarted" ] || wrong "ended, and was started again: $restarted"
  states=$(containers --format '{{.Status}}')
  [ -n "$states" ] && ! grep -qvE '^Exited \(0\)|^Up [^(]*(\(healthy\))?$' <<< "$states"
}

# The container of a server.
container() {
  containers --quiet --filter "label=com.docker.compose.service=$1"
}

is_healthy() {
  [ "$(docker inspect --format '{{.State.Health.Status}}' "$(container "$1")")" = healthy ]
}

# Sidecars, steps and what holds their network are containers of their own here, so all that runs is said.
incarnations() {
  containers --no-trunc --format '{{.Label "com.docker.compose.service"}} {{.ID}}'
}

came_in_turn() {
  :
}

lose() {
  docker kill "$(container "$1")" > /dev/null
}

regain() {
  docker start "$(container "$1")" > /dev/null
}

# Its steps and sidecars have the volumes, too.
lose_disk() {
  local volumes volume users
  mapfile -t volumes < <(docker inspect --format '{{range .Mounts}}{{println .Name}}{{end}}' "$(container "$1")" | grep .)
  for volume in "${volumes[@]}"; do
    mapfile -t users < <(containers --quiet --filter "volume=$volume")
    docker rm --force "${users[@]}" > /dev/null
  done
  docker volume rm "${volumes[@]}" > /dev/null
  compose up --detach --no-build
}

# An image that Compose built has Compose's labels.
start_client() {
  run_client "${project}_default" "$(container "$1")" "${2:-}" '' --label com.docker.compose.project=
}

keep() {
  local names
  containers > "$1/containers"
  mapfile -t names < <(containers --format '{{.Names}}')
  keep_containers "$1" "${names[@]}"
}
