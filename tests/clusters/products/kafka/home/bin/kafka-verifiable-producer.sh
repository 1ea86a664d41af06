#!/usr/bin/env bash
# Sends numbered messages, and says which of them were acknowledged.
set -euo pipefail

exec "$(dirname "$(readlink -f "$0")")/kafka-run-class.sh" org.apache.kafka.tools.VerifiableProducer "$@"
