#!/usr/bin/env bash
# Formats the directories of a server.
set -euo pipefail

exec "$(dirname "$(readlink -f "$0")")/kafka-run-class.sh" kafka.tools.StorageTool "$@"
