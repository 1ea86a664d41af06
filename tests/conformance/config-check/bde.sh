#!/bin/bash
# What the entrypoint of the big-data-europe images does with its environment, written anew:
#
#   bde.sh FOLDER
#
# A variable's name is decoded, and its value goes through an `echo` without quotes and into the
# replacement of a sed command. What the entrypoint sets by itself is left out.
cd "$1" || exit 1

add_property() {
  local file=$1 name=$2 value=$3 property escaped
  property="<property><name>$name</name><value>$value</value></property>"
  # shellcheck disable=SC2086
  escaped=$(echo $property | sed 's/\//\\\//g')
  sed -i "/<\/configuration>/ s/.*/${escaped}\n&/" "$file"
}

for pair in CORE:core HDFS:hdfs YARN:yarn HTTPFS:httpfs KMS:kms MAPRED:mapred; do
  prefix=${pair%:*}_CONF
  file=${pair#*:}-site.xml
  names=$(printenv | sed -nE "s/^${prefix}_([^=]+)=.*/\1/p")
  if [ -z "$names" ]; then continue; fi
  printf '<?xml version="1.0" encoding="UTF-8"?>\n<configuration>\n</configuration>\n' > "$file"
  for name in $names; do
    variable=${prefix}_$name
    name=$(sed 's/___/-/g; s/__/@/g; s/_/./g; s/@/_/g' <<< "$name")
    add_property "$file" "$name" "${!variable}"
  done
done
