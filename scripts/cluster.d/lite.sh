# Sourced by scripts/cluster: the lite cluster, a control plane and kwok on local ports.
components='etcd apiserver controller-manager scheduler kwok'
more_programs=

start() { # component
  local flags
  # shellcheck disable=SC1091
  . "$dir/ports"
  flags_of "$1"
  case $1 in
  apiserver)
    flags+=(--authorization-mode=RBAC --bind-address=127.0.0.1 --secure-port="$api"
      --advertise-address=10.255.255.254 --endpoint-reconciler-type=none
      --max-requests-inflight=0 --max-mutating-requests-inflight=0 --enable-priority-and-fairness=false)
    ;;
  kwok)
    flags=(--kubeconfig="$dir/kwok.kubeconfig" --config="$here/cluster.d/kwok-stages.yaml" --manage-all-nodes=true
      --node-lease-duration-seconds=40 --server-address="127.0.0.1:$kwok" --cidr=10.64.0.0/12 --node-ip=127.0.0.1)
    ;;
  esac
  setsid "$bin/$(program "$1")" "${flags[@]}" </dev/null >>"$dir/$1.log" 2>&1 9>&- &
}
# Outside of the range of outgoing connections, one of which could hold the port when a component comes back.
pick_ports() {
  local base p tries
  for tries in $(seq 200); do
    base=$((20000 + RANDOM % 1200 * 10))
    ! grep -qsx "api=$base" "$cache"/clusters/*/ports || continue
    for p in 0 1 2 3; do ! (exec 3<>"/dev/tcp/127.0.0.1/$((base + p))") 2>/dev/null || continue 2; done
    printf 'api=%d\netcd=%d\npeer=%d\nkwok=%d\n' $base $((base + 1)) $((base + 2)) $((base + 3)) >"$dir/ports"
    return
  done
  fail 'no free local ports from 20000 to 32000' 'end what uses them'
}
nodes() {
  local i
  for i in 1 2 3 4 5; do
    cat <<N
---
apiVersion: v1
kind: Node
metadata: {name: fake$i, annotations: {kwok.x-k8s.io/node: fake}, labels: {kubernetes.io/hostname: fake$i, kubernetes.io/os: linux, kubernetes.io/arch: amd64, type: kwok}}
status:
  capacity: {cpu: "64", memory: 256Gi, pods: "1000"}
  allocatable: {cpu: "64", memory: 256Gi, pods: "1000"}
N
  done
}
up() {
  local c todo
  todo=$(missing)
  [ -f "$dir/complete" ] && [ -z "$todo" ] && return
  # A first up that was cut short, or a machine that was restarted: nothing of it is worth keeping.
  if [ ! -f "$dir/complete" ] || [ "$(wc -w <<<"$todo")" = 5 ]; then
    down
    mkdir -p "$dir"
    pick_ports
    credentials "https://127.0.0.1:$(sed -n 's/^api=//p' "$dir/ports")" kwok=kwok,system:masters
    todo=$components
  fi
  for c in $todo; do
    start "$c"
    # The others would wait for seconds after a first refused connection.
    [ "$c" != apiserver ] || wait_api
  done
  wait_api
  nodes | kube apply -f - >/dev/null
  wait_for 120 'the fake nodes are' kwok kube wait --for=condition=Ready nodes --all --timeout=5s
  wait_for 120 'the default service account is' controller-manager kube -n default get serviceaccount default
  touch "$dir/complete"
}
down() {
  # shellcheck disable=SC2086
  end $components
  rm -rf "$dir"
}
