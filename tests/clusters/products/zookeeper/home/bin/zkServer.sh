#!/usr/bin/env bash
# A ZooKeeper server in the foreground, with the options that the distribution's script reads.
set -euo pipefail
# shellcheck source=tests/clusters/products/zookeeper/home/bin/zkEnv.sh
source "$(dirname "$(readlink -f "$0")")/zkEnv.sh"

if [ "${1:-}" != start-foreground ]; then
  echo "usage: zkServer.sh start-foreground" >&2
  exit 2
fi
read -ra server <<< "${SERVER_JVMFLAGS:-}"
read -ra every <<< "${JVMFLAGS:-}"
exec "$JAVA" "-Xmx${ZK_SERVER_HEAP:-1000}m" "${server[@]}" "${every[@]}" -cp "$CLASSPATH" \
  org.apache.zookeeper.server.quorum.QuorumPeerMain "$ZOOCFG"
