#!/usr/bin/env bash
# Makes and describes topics.
set -euo pipefail

exec "$(dirname "$(readlink -f "$0")")/kafka-run-class.sh" org.apache.kafka.tools.TopicCommand "$@"
