# shellcheck shell=bash
# A Nomad agent of the checks' own, server and client, and Consul where it is needed: in the network of the
# engine of docker-engine.sh, whose containers it starts, and with all that it keeps in $scratch. To be sourced
# in the root of the project, behind docker-engine.sh.
# shellcheck disable=SC2154

nomad_agent=
consul_agent=

nomad() {
  NOMAD_CLI_SHOW_HINTS=0 nsenter "--net=$engine_network" "$nomad" "$@"
}

consul() {
  nsenter "--net=$engine_network" "$consul" "$@"
}

# Starts a program beside the engine as a session of its own, and sets `started` to its process. It gets next to
# no environment: templates can read it.
start_beside() {
  local log=$1
  shift
  nsenter "--net=$engine_network" env -i "PATH=$PATH" "HOME=$scratch" "TMPDIR=$scratch" setsid "$@" > "$log" 2>&1 &
  started=$!
}

# Waits until a command succeeds, as long as a process runs.
await() {
  local process=$1 log=$2
  shift 2
  for _ in {1..120}; do
    if "$@" > /dev/null 2>&1; then return; fi
    kill -0 "$process" 2> /dev/null || break
    sleep 0.5
  done
  tail -n 20 "$log" >&2
  fail "an agent was started, and does not answer: $*"
}

# Before Nomad, which then finds it at once.
start_consul() {
  build_program consul-agent tests/conformance/consul-agent
  export consul=$program
  prepare_agents
  start_beside "$scratch/nomad/consul.log" "$consul" agent -dev -bind 127.0.0.1 -log-level warn
  consul_agent=$started
  await "$consul_agent" "$scratch/nomad/consul.log" consul kv get -keys
}

# The engine's network gets an address for its node. Ports that were published on the loopback's would be
# answered by a program of Docker's, whether anybody listens in the container or not, and so all checks would pass.
prepare_agents() {
  export engine_network=/proc/$engine/ns/net
  if [ -d "$scratch/nomad" ]; then return; fi
  if ! command -v ip > /dev/null; then install_packages iproute2; fi
  if ! command -v pkill > /dev/null; then install_packages procps; fi
  mkdir -p "$scratch/nomad"
  nsenter "--net=$engine_network" ip link set lo up
  nsenter "--net=$engine_network" ip link add node type bridge
  nsenter "--net=$engine_network" ip address add 198.18.0.1/24 dev node
  nsenter "--net=$engine_network" ip link set node up
}

# Containers that have ended are kept: steps are looked at, too. Whether a job runs is not to hang on what the
# machine has left.
start_nomad() {
  build_program nomad-agent tests/conformance/nomad-agent -tags hashicorpmetrics,codegen_generated
  export nomad=$program
  prepare_agents
  cat > "$scratch/nomad/agent.hcl" <<CONFIG
log_level            = "INFO"
disable_update_check = true

client {
  alloc_dir         = "$scratch/nomad/a"
  state_dir         = "$scratch/nomad/state"
  network_interface = "node"
  cpu_total_compute = 100000
  memory_total_mb   = 100000

  options = {
    "fingerprint.denylist" = "env_aws,env_gce,env_azure,env_digitalocean"
  }
}

plugin "docker" {
  config {
    endpoint = "$DOCKER_HOST"

    volumes {
      enabled = true
    }

    gc {
      image     = false
      container = false
    }
  }
}
CONFIG
  start_beside "$scratch/nomad/agent.log" env "FLOKKR_CGROUP=$(agents_cgroup)" \
    "$nomad" agent -dev -bind 127.0.0.1 -config "$scratch/nomad/agent.hcl"
  nomad_agent=$started
  await "$nomad_agent" "$scratch/nomad/agent.log" takes_containers
}

takes_containers() {
  nomad node status -self -verbose | grep -qE '^docker +true +true '
}

# systemd takes no other ending for such a name.
agents_cgroup() {
  echo "flokkr-$$.slice"
}

# Ends them. Nomad takes its allocations along, whose containers need not be stopped with care.
stop_agents() {
  local agent limit
  for agent in "$nomad_agent" "$consul_agent"; do
    if [ -z "$agent" ]; then continue; fi
    kill -INT "$agent" 2> /dev/null || true
    docker ps --quiet | xargs -r docker kill > /dev/null 2>&1 || true
    limit=$((SECONDS + 60))
    while kill -0 "$agent" 2> /dev/null && [ "$SECONDS" -lt "$limit" ]; do sleep 0.2; done
    # Beside a task run processes of the agent's.
    pkill -KILL --session "$agent" || true
    wait "$agent" 2> /dev/null || true
  done
  nomad_agent='' consul_agent=''
  # Each task has a folder for its secrets that is a mount.
  awk -v folder="$scratch/nomad/" 'index($5, folder) == 1 { print $5 }' /proc/self/mountinfo | sort -r |
    xargs -r umount || true
  find /sys/fs/cgroup -depth -type d -path "*/$(agents_cgroup)*" -exec rmdir {} + || true
}
