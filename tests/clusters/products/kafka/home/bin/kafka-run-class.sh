#!/usr/bin/env bash
# A class of Kafka, with the options that the distribution's script reads.
set -euo pipefail

home=$(dirname "$(dirname "$(readlink -f "$0")")")
read -ra options <<< "${KAFKA_HEAP_OPTS:--Xmx256M} ${KAFKA_JVM_PERFORMANCE_OPTS:-} ${KAFKA_JMX_OPTS:-} ${KAFKA_OPTS:-}"
read -ra logs <<< "${KAFKA_LOG4J_OPTS:--Dlog4j2.configurationFile=$home/config/tools-log4j2.yaml}"
exec "${JAVA_HOME:+$JAVA_HOME/bin/}java" "${options[@]}" "${logs[@]}" "-Dkafka.logs.dir=$home/logs" \
  -cp "${CLASSPATH:+$CLASSPATH:}$home/libs/*" "$@"
