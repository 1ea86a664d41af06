# shellcheck shell=bash
# What the images of the clusters are made of: Debian, and the jars of the products as their publishers
# release them. To be sourced in the root of the project, behind common.sh.
# shellcheck disable=SC2154

# Fetches the jars of a product, unless they are there.
fetch_product() {
  local jars
  jars=$(jars_of "$1")
  if [ -d "$jars" ]; then return; fi
  if ! command -v mvn > /dev/null; then install_packages maven; fi
  mkdir -p "$scratch/$1"
  # Maven writes beside what it reads.
  cp "tests/clusters/products/$1/pom.xml" "$scratch/$1"
  if [ -d "tests/clusters/products/$1/repository" ]; then cp -r "tests/clusters/products/$1/repository" "$scratch/$1"; fi
  mvn --batch-mode --quiet -Dstyle.color=never --file "$scratch/$1/pom.xml" \
    org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies -DincludeScope=runtime \
    "-DoutputDirectory=$scratch/$1/jars"
  mkdir -p "$(dirname "$jars")"
  mv "$scratch/$1/jars" "$jars"
}

# Where the jars of a product are kept. A pom that its publisher left out is in `repository` of the product.
jars_of() {
  local poms
  mapfile -t poms < <(find "tests/clusters/products/$1" -name pom.xml -o -name '*.pom' | sort)
  echo "$cache/products/$1-$(cat "${poms[@]}" | sha256sum | cut -c1-16)"
}

# Puts a product into the context of an image.
lay_out() {
  fetch_product "$1"
  "tests/clusters/products/$1/lay-out" "$(jars_of "$1")" "$2/$1"
}

# Makes the base of all images, from the machine's mirror of Debian.
import_base() {
  local base=$cache/debian-bookworm.tar mirror
  if [ ! -f "$base" ]; then
    if ! command -v debootstrap > /dev/null; then install_packages debootstrap; fi
    # shellcheck disable=SC2016
    mirror=$(apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' |
      awk '$1 == "bookworm" { print $2; exit }')
    debootstrap --variant=minbase bookworm "$scratch/debian" "$mirror" > "$scratch/debootstrap.log" ||
      fail "debootstrap: $(tail -n 3 "$scratch/debootstrap.log")"
    mkdir -p "$cache"
    tar -C "$scratch/debian" --create --numeric-owner --file "$base.$$" .
    mv "$base.$$" "$base"
    rm -rf "$scratch/debian"
  fi
  docker import "$base" debian:bookworm-slim > /dev/null
}
