#!/usr/bin/env bash
# Says who leads the controllers.
set -euo pipefail

exec "$(dirname "$(readlink -f "$0")")/kafka-run-class.sh" org.apache.kafka.tools.MetadataQuorumCommand "$@"
