# shellcheck shell=bash
# What the platforms share whose containers are those of the Docker Engine; see check.sh. To be sourced by them.
# They say by `container SERVER` which one a server is.
# shellcheck disable=SC2154

host() {
  echo "$1"
}

inside() {
  local server=$1
  shift
  docker exec --interactive "$(container "$server")" "$@"
}

# Whoever started the process starts it again. One that does not run can't be ended.
crash() {
  local process
  process=$(docker inspect --format '{{.State.Pid}}' "$(container "$1")")
  [ "$process" -gt 0 ] && kill -9 "$process"
}

# Starts the client of a server in a network, without variables that match a pattern. More arguments are for
# `docker run`.
run_client() {
  local network=$1 of=$2 bare=$3 without=$4
  shift 4
  if [ "$bare" = bare ]; then set -- "$@" --entrypoint ''; fi
  docker inspect --format '{{range .Config.Env}}{{println .}}{{end}}' "$of" | grep -vE "^($without)?\$" > "$cluster/client.env"
  docker run --detach --rm --name client --network "$network" --env-file "$cluster/client.env" \
    --env HADOOP_HEAPSIZE_MAX=128m --env KAFKA_HEAP_OPTS=-Xmx128m --no-healthcheck "$@" \
    "$(docker inspect --format '{{.Config.Image}}' "$of")" sleep infinity > /dev/null
}

stop_client() {
  docker rm --force client > /dev/null
}

client() {
  docker exec --interactive client "$@"
}

memory() {
  docker stats --no-stream --format '{{.MemUsage}}' | sed 's/B *\/.*//; s/ *$//' | numfmt --from=auto |
    awk '{ sum += $1 } END { printf "%d\n", sum }'
}

# What containers said and what they are, by files in a folder.
keep_containers() {
  local folder=$1 container
  shift
  for container in "$@"; do
    docker logs --timestamps "$container" > "$folder/$container.log" 2>&1 || true
    docker inspect "$container" > "$folder/$container.json" || true
  done
}
