# Sourced by scripts/cluster: the full cluster. Its node is a tree of processes in mount, network and PID namespaces of its
# own (node/boot.sh is its process 1) and in cgroups of its own. When that process ends, the kernel ends components,
# containers, mounts, interfaces and iptables rules; only the empty cgroups are left to remove.
#
# This machine has one interface more, lbN (10.N.0.1); the node is 10.N.0.2. Pods reach this machine at the former, and no
# other: the node has no way to the internet, and names outside of the cluster do not exist.
components='etcd containerd apiserver controller-manager scheduler kubelet proxy coredns localpv'
more_programs='containerd-shim-runc-v2 ctr pause helm'
cgroup=lb-$name
etcd=2379 peer=2380

addresses() {
  net=$(cat "$dir/network")
  host_ip=10.$net.0.1 node_ip=10.$net.0.2 link=lb$net
}
[ ! -s "$dir/network" ] || addresses

needs_full() {
  [ "$(id -u)" = 0 ] || fail 'a full cluster needs root (namespaces, cgroups)' 'run this as root, or scripts/cluster up --lite'
  case $dir/ in
  /var/lib/* | /var/log/* | /run/*) fail "the node has a /var/lib, /var/log and /run of its own, and $dir is in one of them" 'set XDG_CACHE_HOME to another folder' ;;
  esac
  lb_install_runtime
}
in_node() { # command...
  local p
  p=$(pids node)
  [ -n "$p" ] || fail "the node of $name does not run" 'scripts/cluster up --full'
  nsenter -t "$p" -m -n -p env PATH="$bin:/usr/local/sbin:/usr/sbin:/sbin:$PATH" "$@"
}
cgroups() { # this cluster's folder in each hierarchy (version 1), or the one folder (version 2)
  local d
  if [ -f /sys/fs/cgroup/cgroup.controllers ]; then echo "/sys/fs/cgroup/$cgroup"; else
    for d in /sys/fs/cgroup/*/; do [ ! -f "$d/cgroup.procs" ] || echo "$d$cgroup"; done
  fi
}
# Where kubelet begins; it does not make the folder itself.
make_cgroups() {
  local d c
  for d in $(cgroups); do
    mkdir -p "$d/node"
    if [ -f "$d/cgroup.controllers" ]; then
      for c in $(cat "${d%/*}/cgroup.controllers"); do
        echo "+$c" >"${d%/*}/cgroup.subtree_control" && echo "+$c" >"$d/cgroup.subtree_control" || true
      done 2>/dev/null
    elif [ -f "$d/cpuset.cpus" ]; then # a new one is empty, and takes no process until it is filled
      for c in cpuset.cpus cpuset.mems; do
        cat "${d%/*}/$c" >"$d/$c"
        cat "$d/$c" >"$d/node/$c"
      done
    fi
  done
}
in_cgroups() { # command...; takes the place of the shell
  local d
  for d in $(cgroups); do echo $BASHPID >"$d/node/cgroup.procs"; done
  exec "$@"
}

start() { # component
  local flags config=$here/cluster.d/node p
  flags_of "$1"
  case $1 in
  apiserver)
    flags+=(--authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction --allow-privileged=true
      --advertise-address="$node_ip" --secure-port=6443 --kubelet-preferred-address-types=InternalIP
      --kubelet-client-certificate="$dir/kubelet-client.crt" --kubelet-client-key="$dir/kubelet-client.key")
    ;;
  containerd) flags=(--config="$config/containerd.toml" --root="$dir/containerd") ;;
  kubelet)
    flags=(--config="$config/kubelet.yaml" --kubeconfig="$dir/kubelet.kubeconfig" --hostname-override=node1
      --node-ip="$node_ip" --cgroup-root="/$cgroup" --client-ca-file="$dir/kubelet-client.crt")
    ;;
  proxy) # the limits of the connection table are those of the whole machine: zero leaves them alone
    flags=(--kubeconfig="$dir/proxy.kubeconfig" --hostname-override=node1 --cluster-cidr=10.243.0.0/24
      --conntrack-max-per-core=0 --conntrack-min=0
      --conntrack-tcp-timeout-established=0 --conntrack-tcp-timeout-close-wait=0)
    ;;
  coredns)
    sed "s|@NODE_IP@|$node_ip|; s|@DIR@|$dir|" "$config/Corefile" >"$dir/Corefile"
    flags=(-conf "$dir/Corefile" -quiet)
    ;;
  localpv) flags=(--kubeconfig="$dir/localpv.kubeconfig" --root=/var/lib/volumes) ;;
  esac
  (in_cgroups setsid nsenter -t "$(pids node)" -m -n -p env PATH="$bin:/usr/sbin:/usr/bin:/sbin:/bin" \
    "$bin/$(program "$1")" "${flags[@]}") </dev/null >>"$dir/$1.log" 2>&1 9>&- &
  p=$! # a shell, which becomes nsenter, which starts the component
  while [ -z "$(pids "$1")" ] && kill -0 "$p" 2>/dev/null; do sleep 0.02; done
}
pick_network() {
  local n
  for n in $(shuf -i 100-199); do
    ! grep -qsx "$n" "$clusters"/*/network || continue
    [ -z "$(ip -4 route show to match "10.$n.0.0/24" | grep -v ^default)" ] || continue
    echo "$n" >"$dir/network"
    addresses
    return
  done
  fail 'every network from 10.100.0.0/24 to 10.199.0.0/24 is in use here' 'remove full clusters that are not used'
}
boot() {
  local i p
  make_cgroups
  touch "$dir/booted"
  # Descriptor 7 is this machine's network, for the one interface that the node puts there.
  (in_cgroups setsid unshare --mount --net --pid --fork --mount-proc bash "$here/cluster.d/node/boot.sh" \
    "$dir" "$bin/pause" "$link" "$host_ip" "$node_ip") 7</proc/self/ns/net </dev/null >>"$dir/node.log" 2>&1 9>&- &
  p=$!
  while [ -z "$(pids node)" ]; do
    kill -0 "$p" 2>/dev/null || { tail -5 "$dir/node.log" >&2 && fail "the node does not start (log: $dir/node.log)" "scripts/cluster down, then up --full"; }
    sleep 0.05
  done
}
load() { # archive; prints the name of each image in it, and the name by digest
  local said image digest
  [ -r "$1" ] || fail "no such file: $1" 'give an image archive'
  said=$(in_node ctr -n k8s.io images import --local - <"$1" 2>&1) || fail "containerd refuses $1: $said" 'give an OCI or docker save archive'
  # A pod's imageID is name@digest only if containerd knows the image by such a name; a pull makes it, an import does not.
  sed -n 's/^unpacking \([^ ]*\) (\(sha256:[0-9a-f]*\)).*/\1 \2/p' <<<"$said" | while read -r image digest; do
    in_node ctr -n k8s.io images tag --force "$image" "${image%:*}@$digest" >/dev/null 2>&1
    echo "$image ${image%:*}@$digest"
  done
}
node_ready() { # said since the boot: before a reboot it was ready too
  local ready
  ready=$(kube get node node1 -o 'jsonpath={range .status.conditions[?(@.type=="Ready")]}{.status} {.lastHeartbeatTime}{end}')
  [[ $ready > "True $(date -u -r "$dir/booted" +%FT%TZ)" ]]
}
dns_ready() (
  exec 3<>"/dev/tcp/$node_ip/8181"
  printf 'GET /ready HTTP/1.0\r\n\r\n' >&3
  grep -q '200 OK' <&3
)
up() {
  local c
  mkdir -p "$dir"
  touch "$dir/network" # empty until it is picked; distinguishes full from lite
  exec 8<"$clusters" 9<"$dir"
  flock 9
  if [ ! -f "$dir/complete" ]; then # a first up that was cut short
    stop
    find "$dir" -mindepth 1 ! -name network -delete
    flock 8 # all instances wait while one picks its network, and not until it is up
    pick_network
  fi
  exec 8<&-
  [ -z "$(pids node)" ] || [ -n "$(missing)" ] || return 0
  if [ ! -f "$dir/complete" ]; then
    credentials "https://$node_ip:6443" kubelet=system:node:node1,system:nodes proxy=system:kube-proxy, \
      coredns=system:coredns, localpv=localpv,system:masters
    # kubelet takes the API server's word by certificate only.
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 3650 -subj /O=system:masters/CN=apiserver \
      -keyout "$dir/kubelet-client.key" -out "$dir/kubelet-client.crt" 2>/dev/null
    install -D "$bin/pause" "$dir/pause/root/pause"
    node "$here/image-archive.ts" localhost/pause:1 "$dir/pause/root" "$dir/pause/image.tar" /pause
  fi
  [ -n "$(pids node)" ] || boot
  for c in $(missing); do
    start "$c"
    if [ "$c" = apiserver ]; then
      wait_api
      # CoreDNS would wait for seconds after a first refusal.
      sed "s|@NODE_IP@|$node_ip|" "$here/cluster.d/node/dns.yaml" | kube apply -f - >/dev/null
    fi
  done
  wait_for 120 'containerd is' containerd in_node ctr version
  if [ -d "$dir/pause" ]; then
    load "$dir/pause/image.tar" >/dev/null
    rm -r "$dir/pause"
  fi
  wait_for 120 'the node is' kubelet node_ready
  wait_for 120 'DNS is' coredns dns_ready
  wait_for 120 'the StorageClass is' localpv kube get storageclass standard
  wait_for 120 'the default service account is' controller-manager kube -n default get serviceaccount default
  touch "$dir/complete"
}
stop() {
  local d i left
  for i in $(seq 200); do
    left=
    for d in $(cgroups); do [ ! -d "$d" ] || left+=" $d"; done
    [ -n "$left" ] || break
    # shellcheck disable=SC2086
    find $left -name cgroup.procs -exec cat {} + 2>/dev/null | sort -u | xargs -r kill -9 2>/dev/null || true
    # shellcheck disable=SC2086
    find $left -depth -type d -exec rmdir {} \; 2>/dev/null || true
    sleep 0.05
  done
  [ -z "$left" ] || fail "processes in$left do not end" 'end them by hand'
  for i in $(seq 200); do
    [ -n "${link:-}" ] && ip link show "$link" >/dev/null 2>&1 || return 0
    # It ends with the node's network, which half-closed connections of pods keep for minutes.
    ip link del "$link" 2>/dev/null || true
    sleep 0.05
  done
  fail "the interface $link does not end" "ip link del $link"
}
down() {
  stop
  rm -rf "$dir"
}
