#!/bin/sh
# Prepares the peers' chroot beside the agent, then runs the benchmarks.
set -e
mkdir -p /run/peers-rw /run/peers
mount -t tmpfs tmpfs /run/peers-rw
mkdir /run/peers-rw/upper /run/peers-rw/work
mount -t overlay -o lowerdir=/payload/peers,upperdir=/run/peers-rw/upper,workdir=/run/peers-rw/work overlay /run/peers
mkdir -p /run/peers/proc /run/peers/sys /run/peers/dev /run/peers/run /run/peers/tmp /run/peers/var/lib/wherry
mount -t proc proc /run/peers/proc
mount --rbind /sys /run/peers/sys
mount --rbind /dev /run/peers/dev
mount -t tmpfs tmpfs /run/peers/run
mount -t tmpfs tmpfs /run/peers/tmp
for pass in 1 2 3; do
  for module in /payload/peers/modules/*.ko; do insmod "$module" 2>/dev/null || true; done
done
. /payload/settings
export BENCH_REGISTRY_PORT BENCH_COUNT BENCH_ONLY
exec node /payload/bench.mjs
