# Sourced by scripts/cluster: processes, and what the lite and the full cluster have in common. $dir holds one instance.
program() { case $1 in apiserver | controller-manager | scheduler | proxy) echo "kube-$1" ;; node) echo pause ;; *) echo "$1" ;; esac; }

# Processes are found by what they run and by this folder in their arguments, not by pid files: a script that was killed
# between a start and the note of it hides nothing, and a pid that was given again to somebody else is never hit.
pids() { # components...
  local c f p
  for f in $(grep -laF -- "$dir/" /proc/[0-9]*/cmdline 2>/dev/null || true); do
    p=${f%/cmdline}
    for c in "$@"; do
      case $(readlink "$p/exe" 2>/dev/null) in "$cache/store/$(program "$c")-v"*) echo "${p#/proc/}" ;; esac
    done
  done
}
alive() { # pids...; one whose program is not named any more may still hold its ports
  local p
  for p in "$@"; do ! grep -hs '^State:' /proc/"$p"/task/*/status | grep -qv '[ZX] (' || return 0; done
  return 1
}
end() { # components...; at once: a polite end of the API server takes 5 s
  local p i killed=
  for i in $(seq 100); do
    p=$(pids "$@")
    killed+=" $p"
    # shellcheck disable=SC2086
    [ -n "$p" ] || alive $killed || return 0
    # shellcheck disable=SC2086
    [ -z "$p" ] || kill -9 $p 2>/dev/null || true
    sleep 0.05
  done
  fail "processes $(echo "$p" | tr '\n' ' ')do not end" 'end them by hand'
}
missing() { # components that do not run
  local c
  for c in $components; do [ -n "$(pids "$c")" ] || echo "$c"; done
}
kube() { "$bin/kubectl" --kubeconfig="$dir/admin.kubeconfig" "$@"; }
wait_for() { # seconds, what, component whose log says why not, command...
  local t=$SECONDS seconds=$1 what=$2 log=$dir/$3.log c=$3
  shift 3
  until "$@" >/dev/null 2>&1; do
    # What was just started may still be the shell that starts it.
    if { [ -z "$(pids "$c")" ] && [ $((SECONDS - t)) -ge 3 ]; } || [ $((SECONDS - t)) -ge "$seconds" ]; then
      tail -5 "$log" >&2
      fail "$what not ready (log: $log)" "scripts/cluster down, then up"
    fi
    sleep 0.1
  done
}
wait_api() { wait_for 120 'the API server is' apiserver kube get --raw /readyz; }

flags_of() { # component of the control plane; sets $flags. Ports of etcd: $etcd, $peer
  case $1 in
  etcd)
    flags=(--data-dir="$dir/etcd" --unsafe-no-fsync --log-level=warn
      --listen-client-urls="http://127.0.0.1:$etcd" --advertise-client-urls="http://127.0.0.1:$etcd"
      --listen-peer-urls="http://127.0.0.1:$peer" --initial-advertise-peer-urls="http://127.0.0.1:$peer"
      --initial-cluster="default=http://127.0.0.1:$peer")
    ;;
  apiserver) # it makes its own serving certificate in --cert-dir, which the kubeconfigs trust
    flags=(--etcd-servers="http://127.0.0.1:$etcd" --cert-dir="$dir/cert" --token-auth-file="$dir/tokens.csv"
      --service-cluster-ip-range=10.95.0.0/16 --event-ttl=1h --profiling=false
      --service-account-issuer=https://kubernetes.default.svc.cluster.local
      --service-account-key-file="$dir/sa.key" --service-account-signing-key-file="$dir/sa.key")
    ;;
  controller-manager) # the request limits of a real one are far below what a load test wants
    flags=(--kubeconfig="$dir/controller-manager.kubeconfig" --secure-port=0 --leader-elect=false --profiling=false
      --root-ca-file="$dir/cert/apiserver.crt" --service-account-private-key-file="$dir/sa.key"
      --use-service-account-credentials=true --kube-api-qps=1000 --kube-api-burst=2000
      --concurrent-job-syncs=20 --concurrent-gc-syncs=20 --concurrent-cron-job-syncs=10)
    ;;
  scheduler)
    flags=(--kubeconfig="$dir/scheduler.kubeconfig" --secure-port=0 --leader-elect=false --profiling=false
      --kube-api-qps=1000 --kube-api-burst=2000)
    ;;
  esac
}
credentials() { # address of the API server, FILE=USER,GROUP...; admin, controller manager and scheduler always
  # shellcheck disable=SC2016
  node -e '
    const { generateKeyPairSync, randomUUID } = require("node:crypto");
    const { writeFileSync } = require("node:fs");
    const [dir, name, server, ...users] = process.argv.slice(1);
    const write = (file, text) => writeFileSync(`${dir}/${file}`, text, { mode: 0o600 });
    const key = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
    write("sa.key", key.export({ type: "sec1", format: "pem" }));
    const lines = users.map((each) => {
      const [, file, user, group] = /^(.+)=(.+),(.*)$/.exec(each);
      const token = randomUUID();
      write(`${file}.kubeconfig`, JSON.stringify({ apiVersion: "v1", kind: "Config", "current-context": name,
        clusters: [{ name, cluster: { server, "certificate-authority": `${dir}/cert/apiserver.crt` } }],
        users: [{ name, user: { token } }], contexts: [{ name, context: { cluster: name, user: name } }] }));
      return `${token},${user},${user},"${group}"`;
    });
    write("tokens.csv", lines.join("\n") + "\n");
  ' "$dir" "$name" "$1" admin=admin,system:masters controller-manager=system:kube-controller-manager, \
    scheduler=system:kube-scheduler, "${@:2}"
}
