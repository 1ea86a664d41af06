# shellcheck shell=bash
# Clusters on Docker Compose; see check.sh. To be sourced.
# shellcheck disable=SC2154

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

host() {
  echo "$1"
}

inside() {
  local server=$1
  shift
  docker exec --interactive "$(container "$server")" "$@"
}

# The engine starts the container again.
crash() {
  kill -9 "$(docker inspect --format '{{.State.Pid}}' "$(container "$1")")"
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

start_client() {
  local of options=()
  of=$(container "$1")
  if [ "${2:-}" = bare ]; then options=(--entrypoint ''); fi
  docker inspect --format '{{range .Config.Env}}{{println .}}{{end}}' "$of" | grep . > "$cluster/client.env"
  # An image that Compose built has Compose's labels.
  docker run --detach --rm --name client --network "${project}_default" --env-file "$cluster/client.env" \
    --env HADOOP_HEAPSIZE_MAX=128m --env KAFKA_HEAP_OPTS=-Xmx128m --no-healthcheck \
    --label com.docker.compose.project= "${options[@]}" \
    "$(docker inspect --format '{{.Config.Image}}' "$of")" sleep infinity > /dev/null
}

stop_client() {
  docker rm --force client > /dev/null
}

client() {
  docker exec --interactive client "$@"
}

memory() {
  docker_memory
}

keep() {
  local container
  containers > "$1/containers"
  for container in $(containers --format '{{.Names}}'); do
    docker logs --timestamps "$container" > "$1/$container.log" 2>&1 || true
    docker inspect "$container" > "$1/$container.json" || true
  done
}
