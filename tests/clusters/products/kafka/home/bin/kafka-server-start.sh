#!/usr/bin/env bash
# A Kafka server in the foreground.
set -euo pipefail

bin=$(dirname "$(readlink -f "$0")")
export KAFKA_LOG4J_OPTS=${KAFKA_LOG4J_OPTS:--Dlog4j2.configurationFile=$bin/../config/log4j2.yaml}
export KAFKA_HEAP_OPTS=${KAFKA_HEAP_OPTS:--Xmx1G -Xms1G}
exec "$bin/kafka-run-class.sh" kafka.Kafka "$@"
