#!/bin/sh
# Every test, after setting up what they need: Node, npm packages and, as root, Debian packages (each said aloud).
# Without root the packet tests run in a user namespace where they can, and the rest says why it is skipped.
# Arguments go to vitest: `npm test -- src/net`, `npm test -- --project unit`.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
. "$root/runtime/setup.sh"
sixgate_setup
cd "$root"

# program:package. Plain programs only; nothing here starts a service or touches the machine's network.
needed="ip:iproute2 nft:nftables conntrack:conntrack iptables:iptables ping:iputils-ping sysctl:procps python3:python3
 busybox:busybox-static dbus-daemon:dbus networkctl:systemd netplan:netplan.io nmap:nmap curl:curl unshare:util-linux ssh:openssh-client
 php:php-cli php:php-xml csh:tcsh scapy3:python3-scapy atk6-firewall6:thc-ipv6 frag6:ipv6toolkit
 man:man-db zsh:zsh fish:fish
 chromium:chromium"
missing=
for pair in $needed; do
  program=${pair%%:*}
  if ! PATH=$PATH:/usr/sbin:/sbin command -v "$program" >/dev/null 2>&1; then missing="$missing ${pair#*:}"; fi
done
if [ -n "$missing" ]; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    sixgate_say "installing Debian packages for the tests:$missing"
    export DEBIAN_FRONTEND=noninteractive
    # Test programs need no service running: none is started by this installation.
    # shellcheck disable=SC2086
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends $missing; } >/dev/null ||
      sixgate_fail "apt-get could not install:$missing" "install them by hand, then run the tests again"
  else
    sixgate_say "not there, tests that need them are skipped with the reason:$missing"
  fi
fi
exec "$root/node_modules/.bin/vitest" run --reporter=default --reporter=./test/closing-line.ts "$@"
