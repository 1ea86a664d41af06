# shellcheck shell=bash
# What `run` and the checks of the clusters share: how a cluster starts and changes, work in a client, and
# figures. To be sourced. `run` exports `platform`, what the cluster runs on, `quick`, not empty when only what
# takes little time is asked, `blueprint`, what it is made of, `cluster`, the folder of its files, `project`, its
# name, and `figures`, where figures are collected.
#
# A platform is `platforms/NAME.sh`. A server is one process of the cluster, `namenode-0`, without a number
# where there can be only one; sidecars are no servers. Each platform has:
#
#   open_platform, close_platform      what clusters run on, beside the Docker Engine that builds the images
#   build_images                       builds them from the Dockerfiles in $cluster/docker, and publishes them
#   publish IMAGE                      makes one of the engine's images known, where others than it run them
#   apply BLUEPRINT [ARGUMENT...]      writes the files, with more arguments for `flokkr gen`, and runs them
#   withdraw                           stops and removes everything but the volumes
#   remove_cluster                     removes everything, in whatever state it is
#   is_ready                           all that was applied runs, and is healthy; nothing of before is left
#   is_healthy SERVER
#   incarnations                       each server and what it has only until it is started again, by lines
#   came_in_turn SERVICE               its servers were started one after the other, where the platform sees to that
#   host SERVER                        what others in the cluster call it
#   inside SERVER COMMAND...           runs a command in its container
#   crash SERVER                       its process ends at once
#   lose SERVER, regain SERVER         it is gone at once, as with its machine, and comes back, by itself where
#                                      the platform sees to that
#   lose_disk SERVER                   it and its volumes are gone at once, and it comes back with empty ones
#   start_client SERVER [bare]         a container beside the cluster with the image, the variables and so the
#                                      config of a server, and no part in it; `bare` without its launcher
#   stop_client
#   client COMMAND...                  runs a command there
#   memory                             bytes that all containers have in use, less what the kernel may drop
#   keep FOLDER                        what there is to say of a failed cluster

# shellcheck source=tests/clusters/platforms/compose.sh disable=SC2154
source "tests/clusters/platforms/$platform.sh"

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

# Writes the files of a blueprint for a target, over those that were there; more arguments are for `flokkr gen`.
write_files() {
  local target=$1 below=$2
  shift 2
  # shellcheck disable=SC2154
  "$FLOKKR" gen "$target" -f "$below" -o "$cluster/$target" --overwrite --deny-warnings "$@"
}

# Builds the images without Compose.
bake() {
  (cd "$cluster/docker" && docker buildx bake --progress quiet)
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

# Starts the cluster, and waits until all of it is ready: sets `took` to the milliseconds.
start_cluster() {
  local begun
  begun=$(now)
  # shellcheck disable=SC2154
  apply "$blueprint"
  until_true 300 is_ready
  # shellcheck disable=SC2034
  took=$(($(now) - begun))
}

# Runs another blueprint in place of the one that runs. Of the servers in both, just those that a pattern
# matches are started again. More arguments are for `flokkr gen`.
change() {
  local what=$1 pattern=$2 begun
  shift 2
  incarnations | sort > "$cluster/before"
  begun=$(now)
  apply "$@"
  until_true 600 is_ready
  figure "$what" "$(($(now) - begun))"
  incarnations | sort > "$cluster/after"
  join -j 1 "$cluster/before" "$cluster/after" | awk '$2 != $3 { print $1 }' > "$cluster/restarted"
  cut -d ' ' -f 1 "$cluster/before" | { grep -xE -- "$pattern" || true; } > "$cluster/expected"
  diff "$cluster/expected" "$cluster/restarted" || wrong "these were to be started again (<), and these were (>)"
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
