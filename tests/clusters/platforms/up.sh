# shellcheck shell=bash
# Clusters that `flokkr up` starts on this machine; see check.sh. To be sourced. What runs then is a project of Docker
# Compose, and is asked and broken as one.
# shellcheck disable=SC2154

source tests/clusters/platforms/compose.sh

# The builder that made the images: it has nothing to fetch when flokkr has them built again.
export DOCKER_BUILDKIT=1

compose() {
  docker compose --project-directory "$(dirname "$blueprint")" --file "$cluster/compose/compose.yaml" "$@"
}

build_images() {
  bake
}

# The folder of the cluster is where flokkr keeps its files, so what was laid into the contexts is there already.
apply() {
  local below=$1
  shift
  "$FLOKKR" up "$below" --state "$(dirname "$cluster")" --launcher "$FLOKKR" --timeout 600 "$@"
  "$FLOKKR" status "$project" --state "$(dirname "$cluster")"
}

withdraw() {
  "$FLOKKR" down "$project" --state "$(dirname "$cluster")"
  if "$FLOKKR" status "$project" --state "$(dirname "$cluster")"; then wrong "what is down can't be well"; fi
}

remove_cluster() {
  docker rm --force client > /dev/null 2>&1 || true
  "$FLOKKR" down "$project" --volumes --state "$(dirname "$cluster")" > /dev/null 2>&1 || true
}
