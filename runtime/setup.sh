# Sourced by the launcher and by scripts/: finds or brings a Node >= 24.11 and the npm packages, then
# sets $node. POSIX sh, because it must run before any Node does. Says aloud what it installs.
# $root is the project's folder; set by whoever sources this file.

sixgate_say() { printf 'sixgate: %s\n' "$*" >&2; }
sixgate_fail() { printf 'sixgate: E001 %s\n' "$1" >&2; printf '  fix: %s\n' "$2" >&2; exit 1; }

# Exit 0 when "$1" is a Node of at least 24.11 (node:sqlite without a flag, type stripping).
sixgate_node_ok() {
  "$1" -e 'const [a,b]=process.versions.node.split(".").map(Number);process.exit(a>24||(a===24&&b>=11)?0:1)' 2>/dev/null
}

sixgate_arch() {
  case $(uname -m) in
    x86_64) echo x64 ;;
    aarch64 | arm64) echo arm64 ;;
    *) sixgate_fail "no pinned Node for $(uname -m)" "install Node >= 24.11 and set SIXGATE_NODE to its path" ;;
  esac
}

sixgate_npm_ci() { # folder, what for
  command -v npm >/dev/null 2>&1 || sixgate_fail "npm is missing" "apt-get install npm"
  sixgate_say "installing $2 (npm ci, no install scripts)"
  sixgate_log=$(mktemp) || exit 1
  # Debian's Node trusts the machine's certificates, others only their own list unless told: behind a company's proxy
  # that would end here.
  certificates=/etc/ssl/certs/ca-certificates.crt
  if [ -z "${NODE_EXTRA_CA_CERTS:-}" ] && [ -r "$certificates" ]; then
    NODE_EXTRA_CA_CERTS=$certificates
    export NODE_EXTRA_CA_CERTS
  fi
  if ! (cd "$1" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >"$sixgate_log" 2>&1 </dev/null); then
    cat "$sixgate_log" >&2
    rm -f "$sixgate_log"
    sixgate_fail "npm ci failed in $1" "see npm's own words above; a registry must be reachable for the first run"
  fi
  rm -f "$sixgate_log"
}

sixgate_setup() {
  brought=$root/runtime/node_modules/node-linux-$(sixgate_arch)/bin/node
  if [ -n "${SIXGATE_NODE:-}" ]; then
    sixgate_node_ok "$SIXGATE_NODE" || sixgate_fail "SIXGATE_NODE=$SIXGATE_NODE is not a Node >= 24.11" "unset it, or point it at one"
    node=$SIXGATE_NODE
  elif [ -f "$root/runtime/brought-only" ]; then
    # An installed package runs on the Node that it was tested with, whatever PATH has.
    sixgate_node_ok "$brought" || sixgate_fail "the Node of this package does not start" "install the package again, for this machine's processor"
    node=$brought
  elif command -v node >/dev/null 2>&1 && sixgate_node_ok node; then
    node=$(command -v node)
  else
    if ! { [ -x "$brought" ] && sixgate_node_ok "$brought"; }; then
      sixgate_npm_ci "$root/runtime" "a pinned Node 24 into runtime/, since this machine has none"
      # npm calls it a success when an optional package can't be fetched.
      [ -x "$brought" ] || sixgate_fail "npm brought no Node for this machine" "is the npm registry reachable? Try: npm view node-linux-$(sixgate_arch) version"
      sixgate_node_ok "$brought" || sixgate_fail "the pinned Node does not start" "install Node >= 24.11 and set SIXGATE_NODE"
    fi
    node=$brought
  fi
  # npm itself and every program it starts run on the same Node.
  PATH=$(dirname "$node"):$PATH
  export PATH
  if [ -f "$root/package-lock.json" ] && ! cmp -s "$root/package-lock.json" "$root/node_modules/.sixgate-lock"; then
    sixgate_npm_ci "$root" "the npm packages"
    cp "$root/package-lock.json" "$root/node_modules/.sixgate-lock"
  fi
}
