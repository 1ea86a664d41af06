#!/usr/bin/env bash
# Reads messages.
set -euo pipefail

exec "$(dirname "$(readlink -f "$0")")/kafka-run-class.sh" org.apache.kafka.tools.consumer.ConsoleConsumer "$@"
