# wait-for.sh MINIMUM HOST:PORT...   ends when that many of the ports take connections
trap 'exit 143' TERM INT
minimum=$1
shift
while :; do
  open=0
  for address; do
    if (exec 3<>"/dev/tcp/${address%:*}/${address##*:}") 2>/dev/null; then
      open=$((open + 1))
    fi
  done
  if [ "$open" -ge "$minimum" ]; then
    exit 0
  fi
  echo "waiting: $open of $minimum ($*)"
  sleep 1
done
