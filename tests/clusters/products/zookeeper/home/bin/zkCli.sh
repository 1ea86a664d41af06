#!/usr/bin/env bash
# The shell of ZooKeeper.
set -euo pipefail
# shellcheck source=tests/clusters/products/zookeeper/home/bin/zkEnv.sh
source "$(dirname "$(readlink -f "$0")")/zkEnv.sh"

read -ra client <<< "${CLIENT_JVMFLAGS:-}"
read -ra every <<< "${JVMFLAGS:-}"
exec "$JAVA" "-Xmx${ZK_CLIENT_HEAP:-256}m" "${client[@]}" "${every[@]}" -cp "$CLASSPATH" \
  org.apache.zookeeper.ZooKeeperMain "$@"
