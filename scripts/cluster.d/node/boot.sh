#!/usr/bin/env bash
# Process 1 of the node of a full cluster, in mount, network and PID namespaces of its own: all that it does is private to
# the node and ends with it. Started by ../full.sh; descriptor 7 is the network of the machine.
set -euo pipefail
dir=$1 pause=$2 link=$3 host_ip=$4 node_ip=$5

# /run is empty after each boot; /var/lib and /var/log stay.
mount -t tmpfs -o mode=755 tmpfs /run
for each in lib log; do
  mkdir -p "$dir/var/$each"
  mount --bind "$dir/var/$each" "/var/$each"
done
mkdir -p /run/cni
cp "${0%/*}/bridge.conflist" /run/cni/

# kubelet sets these for the whole machine, and does not start if it cannot: it gets files of its own that say so already.
for each in vm/overcommit_memory=1 vm/panic_on_oom=0 kernel/panic=10 kernel/panic_on_oops=1 \
  kernel/keys/root_maxkeys=1000000 kernel/keys/root_maxbytes=25000000; do
  file=/run/sysctl/${each%=*}
  mkdir -p "${file%/*}"
  echo "${each#*=}" >"$file"
  mount --bind "$file" "/proc/sys/${each%=*}"
done
mount --make-rshared / # for volumes with mountPropagation

echo 1 >/proc/sys/net/ipv4/ip_forward
ip link set lo up
ip link add eth0 type veth peer name "$link" netns /proc/self/fd/7
ip addr add "$node_ip/24" dev eth0
ip link set eth0 up
ip route add default via "$host_ip"
nsenter --net=/proc/self/fd/7 ip addr add "$host_ip/24" dev "$link"
nsenter --net=/proc/self/fd/7 ip link set "$link" up
exec "$pause" "$dir/" 7<&-
