# wait-for.sh MINIMUM HOST:PORT...   ends when that many of the ports take connections
trap 'exit 143' TERM INT
minimum=$1
shift
while :; do
  open=0
  for address; do
    # Without the limit, an address that is gone holds this up for minutes, and a SIGTERM too.
    if timeout 2 bash -c 'exec 3<>"/dev/tcp/$0/$1"' "${address%:*}" "${address##*:}" 2>/dev/null; then
      open=$((open + 1))
    fi
  done
  if [ "$open" -ge "$minimum" ]; then
    exit 0
  fi
  echo "waiting: $open of $minimum ($*)"
  sleep 1
done
