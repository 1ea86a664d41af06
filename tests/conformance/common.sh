# shellcheck shell=bash
# What the checks of this folder share. To be sourced, in the root of the project.

# Programs and tools that are built or fetched once; each name says the version, or the state of the
# sources.
cache=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/flokkr-conformance

# Builds a checking program, unless it is there, and sets `program` to its path. The first argument
# names it, the second is the folder of its sources; more are for `go build`.
build_program() {
  local name=$1 folder=$2 state
  shift 2
  command -v go > /dev/null || {
    echo "$folder: there is no Go to build it with" >&2
    return 1
  }
  state=$(cat "$folder"/*.go "$folder"/go.* <(go version) <(echo "$*") | sha256sum | cut -c1-16)
  program=$cache/$name-$state
  if [ -x "$program" ]; then return; fi
  mkdir -p "$cache"
  echo "building $name ($folder)"
  CGO_ENABLED=0 GOFLAGS='' GOTOOLCHAIN=local go build -C "$folder" -mod=readonly -buildvcs=false -trimpath \
    -ldflags '-s -w' -o "$program.$$" "$@" .
  mv "$program.$$" "$program"
}

# Builds a tool of others, unless it is there, and sets `tool` to its path: its name, and its module
# with the version.
build_tool() {
  local name=$1 module=$2
  tool=$cache/$name-${module##*@}
  if [ -x "$tool" ]; then return; fi
  mkdir -p "$cache/go"
  echo "building $name ($module)"
  CGO_ENABLED=0 GOFLAGS='' GOTOOLCHAIN=local GOBIN=$cache/go go install -trimpath -ldflags '-s -w' "$module"
  mv "$cache/go/$name" "$tool"
}

# A checking program finds in each of its samples what the comments there say, and nothing else:
# `bad:` for each bad object, `also:` for more about them. `flags:` are for the program. Where a
# sample has a .json beside it, that is what `env` prints. What `try` answers to questions.jsonl is in
# answers.jsonl.
check_samples() {
  local program=$1 folder=$2 sample said wanted flags expected failures=0
  for sample in "$folder"/*.yaml "$folder"/*.hcl "$folder"/*.Dockerfile; do
    if [ ! -f "$sample" ]; then continue; fi
    flags=$(sed -n 's/^# flags: //p' "$sample")
    # shellcheck disable=SC2086
    said=$("$program" check $flags "$sample" 2>&1) || true
    wanted=$(grep -c '^# bad: ' "$sample" || true)
    if [[ $said != *", $wanted bad" ]]; then
      failures=$((failures + 1))
      printf '%s: not %s bad:\n%s\n' "$sample" "$wanted" "$said"
    fi
    while IFS= read -r expected; do
      if grep -qF -- "$expected" <<< "$said"; then continue; fi
      failures=$((failures + 1))
      printf '%s: did not find: %s\n%s\n' "$sample" "$expected" "$said"
    done < <(sed -nE 's/^# (bad|also): //p' "$sample")
    expected=${sample%.*}.json
    # shellcheck disable=SC2086
    if [ -f "$expected" ] && ! "$program" env $flags "$sample" | diff "$expected" -; then
      failures=$((failures + 1))
      printf '%s: a process gets something else\n' "$sample"
    fi
  done
  expected=$folder/answers.jsonl
  if [ -f "$expected" ] && ! "$program" try < "$folder/questions.jsonl" | diff "$expected" -; then
    failures=$((failures + 1))
    printf '%s: it answers something else\n' "$folder"
  fi
  [ "$failures" = 0 ]
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
passed=0
failed=0
refused=0
checks=0

# Says how one check ended; what it printed (in $scratch/said) follows when it failed.
verdict() {
  local how=$1 name=$2
  printf '%-8s %s\n' "$how" "$name"
  case $how in
    ok) passed=$((passed + 1)) ;;
    refused) refused=$((refused + 1)) ;;
    *)
      failed=$((failed + 1))
      sed 's/^/    /' "$scratch/said"
      ;;
  esac
}

# Ends the script with the counts.
finish() {
  if [ "$refused" -gt 0 ]; then echo "$refused refused, as they may be"; fi
  echo "$passed passed, $failed failed"
  [ "$failed" = 0 ] && [ "$passed" -gt 0 ]
}

# Calls a function for every blueprint of the library, then for those of tests/blueprints, with: its
# name, a folder for files beside it, what an `include` there calls it, and arguments for flokkr.
each_blueprint() {
  local call=$1 path name folder
  for path in blueprints/*/blueprint.yaml; do
    name=$(basename "$(dirname "$path")")
    folder=$scratch/library-$name
    mkdir -p "$folder"
    "$call" "$name" "$folder" "$name" --deny-warnings
  done
  for path in tests/blueprints/*/blueprint.yaml; do
    name=$(basename "$(dirname "$path")")
    folder=$scratch/test-$name
    if [ ! -d "$folder" ]; then cp -r "$(dirname "$path")" "$folder"; fi
    "$call" "tests/$name" "$folder" ./blueprint.yaml
  done
}

# Generates a blueprint for a target with settings, into a fresh folder: sets `out`. The arguments:
# the target, its settings as a YAML flow mapping, a pattern of the errors that these settings may
# lead to, and those of `each_blueprint`. Without files it gives the verdict and ends with 1.
generate() {
  local target=$1 settings=$2 may=$3 name=$4 folder=$5 below=$6 status=0
  shift 6
  # What is refused of a test blueprint is in its snapshot; here the rest of it is judged.
  if [ -f "$folder/without-$target.yaml" ]; then below=./without-$target.yaml; fi
  label="$name${settings:+, $settings}"
  checks=$((checks + 1))
  out=$scratch/out/$checks
  {
    printf 'blueprint: v1\ninclude: ["%s"]\n' "$below"
    if [ -n "$settings" ]; then printf 'targets:\n  %s: %s\n' "$target" "$settings"; fi
  } > "$folder/settings.yaml"
  # shellcheck disable=SC2154
  "$flokkr" gen "$target" -f "$folder/settings.yaml" "$@" -o "$out" --message-format json \
    > "$scratch/said" 2>&1 || status=$?
  if [ "$status" = 0 ]; then return; fi
  if [ "$status" = 2 ] && may_be_refused "$target" "$name" "$may"; then
    verdict refused "$label: $(errors | sed 's/.*"code":"\([^"]*\)".*/\1/' | sort -u | paste -sd ' ')"
  else
    # Warnings beside the errors only hide them.
    if errors > "$scratch/errors"; then mv "$scratch/errors" "$scratch/said"; fi
    verdict failed "$label: not generated"
  fi
  return 1
}

# The errors that flokkr reported.
errors() {
  grep '^{"severity":"error"' "$scratch/said"
}

# What flokkr may refuse: a test blueprint whose snapshot for the target says so, and anything for
# no other reasons than those that are given.
may_be_refused() {
  local target=$1 name=$2 may=$3
  errors > /dev/null || return 1
  if [ "$name" != "${name#tests/}" ] && [ -f "snapshots/${name#tests/}/$target/refused.snap" ]; then return; fi
  [ -n "$may" ] && ! errors | grep -vqE -- "$may"
}

# Calls a function with each set of files in $out that is deployed together: those for everyone,
# alone and with those of each profile. The first argument is what the files' names end with.
each_set() {
  local ending=$1 call=$2 everyone profile own=()
  mapfile -t everyone < <(find "$out" -path "$out/profiles" -prune -o -type f -name "*$ending" -print | sort)
  if [ "${#everyone[@]}" -gt 0 ]; then "$call" "${everyone[@]}" || return 1; fi
  for profile in "$out"/profiles/*/; do
    if [ ! -d "$profile" ]; then continue; fi
    mapfile -t own < <(find "$profile" -type f -name "*$ending" | sort)
    "$call" "${everyone[@]}" "${own[@]}" || return 1
  done
  [ "${#everyone[@]}" -gt 0 ] || [ "${#own[@]}" -gt 0 ]
}

# Builds what turns packages for Kubernetes into objects: sets `kustomize` and `helm` to their paths.
build_packers() {
  build_tool kustomize sigs.k8s.io/kustomize/kustomize/v5@v5.8.2
  kustomize=$tool
  build_tool helm helm.sh/helm/v3/cmd/helm@v3.22.0
  helm=$tool
}

# Copies the objects for everyone from a plain package in $out to $scratch/plain. Fails when there are
# none: all of it may be there with a profile only.
take_plain() {
  rm -rf "$scratch/plain"
  mkdir "$scratch/plain"
  find "$out" -maxdepth 1 -name '*.yaml' -exec cp {} "$scratch/plain" \;
  find "$scratch/plain" -name '*.yaml' ! -name '00-*' | grep -q .
}

render_kustomize() {
  "$kustomize" build "$out/overlays/values" > "$scratch/rendered.yaml"
}

# A chart has all profiles in it; the namespace is that of the release, here that of the plain objects. The
# arguments are for Helm.
render_helm() {
  plain_namespace
  "$helm" lint --strict "$@" "$out" &&
    "$helm" template release "$out" --namespace "$namespace" "$@" > "$scratch/rendered.yaml"
}

# Sets `namespace` to that of the plain objects.
plain_namespace() {
  namespace=$(sed -n 's/^  namespace: //p' "$scratch"/plain/*.yaml | head -n 1)
}
