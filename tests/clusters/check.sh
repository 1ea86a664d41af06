# shellcheck shell=bash
# What `run` and the checks of the clusters share: the cluster that runs, a client in it, ways to break it,
# and figures. To be sourced. `run` exports `cluster`, the folder of the cluster's files, `project`, its
# name in Compose, and `figures`, where figures are collected.

compose() {
  # shellcheck disable=SC2154
  docker compose --file "$cluster/compose/compose.yaml" "$@"
}

wrong() {
  printf 'wrong: %s\n' "$*" >&2
  exit 1
}

# Milliseconds of some clock.
now() {
  echo "$((${EPOCHREALTIME/[.,]/} / 1000))"
}

# Notes a time in milliseconds, as seconds.
figure() {
  local what=$1 milliseconds=$2
  # shellcheck disable=SC2154
  printf '%s: %d.%d s\n' "$what" "$((milliseconds / 1000))" "$((milliseconds % 1000 / 100))" | tee -a "$figures"
}

# No container of the cluster ended by itself, and was started again.
is_unharmed() {
  local restarted
  # shellcheck disable=SC2154
  restarted=$(docker ps --all --quiet --filter "label=com.docker.compose.project=$project" |
    xargs docker inspect --format '{{if .RestartCount}}{{.Name}} {{end}}' | tr -d '\n')
  [ -z "$restarted" ] || wrong "ended, and was started again: $restarted"
}

# Repeats a command until it succeeds, for so many seconds at most.
until_true() {
  local limit=$(($1 * 1000 + $(now)))
  shift
  until "$@"; do
    [ "$(now)" -lt "$limit" ] || wrong "it is never true: $*"
    sleep 0.3
  done
}

# Everything is healthy, runs where nobody checks, or has ended well where it is to end.
is_ready() {
  local states
  is_unharmed
  # shellcheck disable=SC2154
  states=$(docker ps --all --filter "label=com.docker.compose.project=$project" --format '{{.Status}}')
  [ -n "$states" ] && ! grep -qvE '^Exited \(0\)|^Up [^(]*(\(healthy\))?$' <<< "$states"
}

# Starts the cluster, and waits until all of it is ready: sets `took` to the milliseconds.
start_cluster() {
  local begun
  begun=$(now)
  compose up --detach --no-build --quiet-pull
  until_true 300 is_ready
  # shellcheck disable=SC2034
  took=$(($(now) - begun))
}

# The container of a service.
container() {
  docker ps --all --quiet --filter "label=com.docker.compose.project=$project" \
    --filter "label=com.docker.compose.service=$1"
}

is_healthy() {
  [ "$(docker inspect --format '{{.State.Health.Status}}' "$(container "$1")")" = healthy ]
}

# The main process ends at once, as in a crash: the engine starts the container again.
crash() {
  kill -9 "$(docker inspect --format '{{.State.Pid}}' "$(container "$1")")"
}

# The container ends at once, and stays down, as with a lost machine.
lose() {
  docker kill "$(container "$1")" > /dev/null
}

regain() {
  docker start "$(container "$1")" > /dev/null
}

# Starts a container beside the cluster that has the image, the variables and so the config of a service,
# but no part in it. More arguments are for `docker run`.
start_client() {
  local of
  of=$(container "$1")
  shift
  docker inspect --format '{{range .Config.Env}}{{println .}}{{end}}' "$of" | grep . > "$cluster/client.env"
  # An image that Compose built has Compose's labels.
  docker run --detach --rm --name client --network "${project}_default" --env-file "$cluster/client.env" \
    --env HADOOP_HEAPSIZE_MAX=128m --env KAFKA_HEAP_OPTS=-Xmx128m --no-healthcheck \
    --label com.docker.compose.project= "$@" \
    "$(docker inspect --format '{{.Config.Image}}' "$of")" sleep infinity > /dev/null
}

stop_client() {
  docker rm --force client > /dev/null
}

# Runs a command in the client.
client() {
  docker exec --interactive client "$@"
}

# Makes a file of random bytes in the client, and says its checksum.
random_file() {
  # shellcheck disable=SC2016
  client bash -c 'head -c "$1" /dev/urandom > "$0" && sha256sum < "$0"' "$1" "$2"
}

# The checksum of a file in HDFS.
stored() {
  # shellcheck disable=SC2016
  client bash -o pipefail -c 'hdfs dfs -cat "$0" | sha256sum' "$1"
}
