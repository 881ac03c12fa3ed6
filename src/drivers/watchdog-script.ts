/**
 * The watchdog's part on the device, for any POSIX shell, on Linux and FreeBSD: `sh ID.watch VERB FOLDER ID [SECONDS]`.
 *
 * The undo script wanders by rename, which is atomic, so only one side can have it:
 * `ID.unarmed` → `ID.sh` (armed) → `ID.running` → `ID.undone` (holds the exit code), or `ID.sh` → `ID.confirmed`.
 * `state` looks in the order of that way, so it never falls between two names.
 */
export const watchdogScript = `# sixgate: puts a change back unless it is confirmed. Made for one change, removed with it.
set -u
verb=$1 folder=$2 id=$3
unit=sixgate-undo-$id
PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/sbin
cd "$folder" || exit 70

# systemd as PID 1 in our own namespaces, not one seen through a shared /run or /proc.
systemd_here() {
  [ -d /run/systemd/system ] && command -v systemd-run >/dev/null 2>&1 || return 1
  for each in mnt net pid; do
    ours=$(readlink "/proc/self/ns/$each") && theirs=$(readlink "/proc/1/ns/$each") || return 1
    [ "$ours" = "$theirs" ] || return 1
  done
  [ "$(cat /proc/1/comm)" = systemd ]
}

freebsd() { [ "$(uname -s)" = FreeBSD ]; }

# State and start time of a process: with the number alone a later process could be taken for ours.
born() {
  if freebsd; then
    # shellcheck disable=SC2046
    set -- $(ps -o state= -o lstart= -p "$1" 2>/dev/null)
    [ $# -gt 1 ] && echo "$*"
  else
    cut -d ' ' -f 3,22 "/proc/$1/stat" 2>/dev/null
  fi
}

alive() {
  if [ -e "$id.unit" ]; then systemctl is-active --quiet "$unit.timer"; return; fi
  [ -r "$id.pid" ] && read -r pid start <"$id.pid" || return 1
  now=$(born "$pid")
  case $now in "" | Z*) return 1 ;; esac
  [ "\${now#* }" = "$start" ]
}

# A session of its own, without our files. daemon(8) of FreeBSD is the same as setsid(1) of Linux.
detach() {
  if freebsd; then daemon -f sh "$folder/$id.watch" "$@" 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-; return; fi
  setsid sh "$folder/$id.watch" "$@" </dev/null >/dev/null 2>&1 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&- &
}

fire() {
  mv "$id.sh" "$id.running" 2>/dev/null || return 0
  sh "$id.running" </dev/null >"$id.log" 2>&1
  echo $? >"$id.code"
  mv "$id.code" "$id.undone"
  rm -f "$id.running"
}

state() {
  if [ -e "$id.sh" ]; then echo armed
  elif [ -e "$id.running" ]; then echo running
  elif [ -e "$id.undone" ]; then echo "undone $(cat "$id.undone")"; tail -c 300 "$id.log"
  elif [ -e "$id.confirmed" ]; then echo confirmed
  else echo gone
  fi
}

stop() {
  tries=0
  while alive && [ "$tries" -lt 40 ]; do
    if [ -e "$id.unit" ]; then systemctl stop "$unit.timer"; else kill -s TERM -- "-$pid" 2>/dev/null; fi
    alive || break
    sleep 0.05
    tries=$((tries + 1))
  done
  ! alive
}

# What is left of changes that nothing waits for any more, three hours and more old: who made them never came back.
sweep() {
  for each in $(find . -maxdepth 1 -type f -name '*.watch' -mmin +180); do
    old=\${each%.watch}
    [ -e "$old.sh" ] || [ -e "$old.running" ] ||
      rm -f "$old.unarmed" "$old.confirmed" "$old.undone" "$old.log" "$old.pid" "$old.pid.new" "$old.unit" "$old.watch"
  done
}

case $verb in
arm)
  sweep
  # Under another name until now: a script whose arming never came would be taken for one that waits.
  mv "$id.unarmed" "$id.sh" || exit 71
  if systemd_here; then
    : >"$id.unit"
    systemd-run --quiet --collect --unit="$unit" --on-active="$4s" --timer-property=AccuracySec=100ms \\
      /bin/sh "$folder/$id.watch" fire "$folder" "$id" >&2 || exit 71
  else
    detach wait "$folder" "$id" "$4"
  fi
  tries=0
  until alive; do
    [ "$tries" -lt 100 ] || { echo "the waiting process does not run" >&2; exit 71; }
    tries=$((tries + 1))
    sleep 0.05
  done
  state
  ;;
wait)
  trap '' HUP
  start=$(born $$)
  echo "$$ \${start#* }" >"$id.pid.new" && mv "$id.pid.new" "$id.pid"
  sleep "$4"
  fire
  ;;
fire) fire ;;
confirm)
  if mv "$id.sh" "$id.confirmed" 2>/dev/null; then stop; fi
  state
  ;;
rollback)
  if [ -e "$id.unit" ]; then systemctl start --no-block "$unit.service"; else detach fire "$folder" "$id"; fi
  state
  ;;
state) state ;;
# 1: nobody waits. A timer of systemd may just be firing, so it counts while its mark is there.
waits) if [ -e "$id.unit" ] || alive; then exit 0; else exit 1; fi ;;
forget)
  stop || exit 72
  rm -f "$id.unarmed" "$id.sh" "$id.confirmed" "$id.undone" "$id.log" "$id.pid" "$id.pid.new" "$id.unit" "$id.watch"
  ;;
*) exit 64 ;;
esac
`;
