# shellcheck shell=bash
# What the scripts of ZooKeeper share: where it is, and its class path. To be sourced.

ZOOKEEPER_PREFIX=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")
ZOOCFGDIR=${ZOOCFGDIR:-$ZOOKEEPER_PREFIX/conf}
# shellcheck disable=SC2034 # for those who source this
{
  ZOOCFG=$ZOOCFGDIR/${ZOOCFG:-zoo.cfg}
  CLASSPATH="$ZOOCFGDIR:$ZOOKEEPER_PREFIX/lib/*"
  JAVA=${JAVA_HOME:+$JAVA_HOME/bin/}java
}
