#!/usr/bin/env bash
# Starts a Loket and an etcd beside each other, each on empty data of its own in the same folder, and measures both under
# the same load: `loket bench etcd`, which explains itself with --help and takes all arguments, for example
#
#   tests/bench/etcd.sh --duration 20s
#   tests/bench/etcd.sh -o json > etcd.json
#
# Both servers run as they are by default, with every write on disk before it is answered. Needs etcd
# (Debian, Ubuntu: apt-get install etcd-server). Variables:
#   BIN_DIR   where loket-server and loket are; without it they are built, optimised
#   DATA_DIR  where the data goes, for as long as this runs; without it, beside the builds, since what is under /tmp is
#             often in memory and not on a disk
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

if ! command -v etcd >/dev/null; then
  echo "Missing: etcd. Debian, Ubuntu: apt-get install etcd-server" >&2
  exit 1
fi
if [ -z "${BIN_DIR:-}" ]; then
  cargo build --release --locked -p loket-server -p loket-client >&2
  BIN_DIR="${CARGO_TARGET_DIR:-target}/release"
fi

DATA_DIR="${DATA_DIR:-${CARGO_TARGET_DIR:-target}}"
mkdir -p "$DATA_DIR"
data=$(mktemp -d -p "$DATA_DIR" loket-etcd.XXXXXX)
servers=()
cleanup() {
  [ ${#servers[@]} -eq 0 ] || kill "${servers[@]}" 2>/dev/null || true
  wait
  rm -rf "$data"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

# Waits until a log says so, or its server has ended.
await() {
  local log=$1 server=$2 line=$3
  until grep -q "$line" "$log"; do
    if ! kill -0 "$server" 2>/dev/null; then
      echo "a server did not start:" >&2
      cat "$log" >&2
      exit 1
    fi
    sleep 0.1
  done
}

# Three ports that nobody listens on.
ports() {
  local port found=0
  for port in $(shuf -i 20000-32000 -n 200); do
    if ! (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
      echo "$port"
      found=$((found + 1))
      [ "$found" -lt 3 ] || return 0
    fi
  done
}
{ read -r loket_port && read -r etcd_port && read -r peer_port; } < <(ports)

"$BIN_DIR/loket-server" --listen "127.0.0.1:$loket_port" --data-dir "$data/loket" >"$data/loket.log" 2>&1 &
servers+=($!)
await "$data/loket.log" $! "is ready"

# The limit of its database is far above what a measurement writes, and what it logs goes to a file, as with Loket.
etcd --name bench --data-dir "$data/etcd" --quota-backend-bytes $((8 << 30)) \
  --listen-client-urls "http://127.0.0.1:$etcd_port" --advertise-client-urls "http://127.0.0.1:$etcd_port" \
  --listen-peer-urls "http://127.0.0.1:$peer_port" --initial-advertise-peer-urls "http://127.0.0.1:$peer_port" \
  --initial-cluster "bench=http://127.0.0.1:$peer_port" >"$data/etcd.log" 2>&1 &
servers+=($!)
await "$data/etcd.log" $! "ready to serve client requests"

env -u LOKET_TOKEN LOKET_DATA_DIR="$data/loket" "$BIN_DIR/loket" bench etcd --endpoint "http://127.0.0.1:$loket_port" \
  --etcd-endpoint "http://127.0.0.1:$etcd_port" "$@"
