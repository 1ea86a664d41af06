# shellcheck shell=bash
# A Docker Engine of the checks' own, in a network of its own and with all that it keeps in $scratch: one
# with so many containers may lose count of who uses a network, which then stays. To be sourced in the root
# of the project, behind tools.sh and common.sh.

engine=

answers() {
  # shellcheck disable=SC2154
  command -v docker > /dev/null && docker version --format '{{.Server.Version}}' > "$scratch/version" 2> "$scratch/said"
}

# Has packages installed, some of them from the next Debian.
install_packages() {
  if [ "$(id -u)" != 0 ] || ! command -v apt-get > /dev/null; then
    fail "$*: not here, and only root on Debian can have it installed"
  fi
  add_next_debian
  apt update
  apt install --no-install-recommends "$@"
}

# Starts it, and sets `engine` to its process. The arguments are dockerd's.
start_engine() {
  if ! command -v dockerd > /dev/null || ! command -v docker > /dev/null; then install_packages docker.io; fi
  export DOCKER_HOST=unix://$scratch/docker.sock
  unset DOCKER_CONTEXT DOCKER_TLS_VERIFY
  unshare --net dockerd --host "$DOCKER_HOST" --data-root "$scratch/docker" --exec-root "$scratch/exec" \
    --pidfile "$scratch/docker.pid" --containerd-namespace "flokkr-$$" --containerd-plugins-namespace "flokkr-plugins-$$" \
    "$@" > "$scratch/dockerd.log" 2>&1 &
  engine=$!
  for _ in {1..120}; do
    if answers; then return; fi
    kill -0 "$engine" 2> /dev/null || break
    sleep 0.5
  done
  tail -n 20 "$scratch/dockerd.log" >&2
  fail "a Docker Engine was started, and does not answer"
}

# Ends it by itself, or its mounts would stay.
stop_engine() {
  if [ -n "$engine" ]; then
    kill "$engine" 2> /dev/null || true
    wait "$engine" || true
  fi
}
