/** Where the lane's script is: on the file system that outlives a restart. What ends in .sh there is an undo that waits. */
export const scriptPath = "/conf/sixgate/lane";
/** cron(8) of FreeBSD reads what is there. */
export const cronPath = "/usr/local/etc/cron.d/sixgate";

/** Closes what has ended though the waiting process was killed. Every minute, which is as often as cron(8) can. */
export const cronText: string = `# sixgate: closes what was opened until an end.
PATH=/sbin:/bin:/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin
* * * * * root sh ${scriptPath} close >/dev/null 2>&1
`;

/**
 * The lane's part on the device, for sh(1) of FreeBSD: \`sh lane VERB\`. Entries are in pf's tables and nowhere else, so
 * that nothing is open after a restart. pf knows no end of an entry: ends are kept beside, in a file that is written
 * before the entry is there, and a process on the device closes what has ended, whether we live or not.
 *
 * \`change\`      lines \`- TABLE ADDRESS\`, \`+ TABLE ADDRESS [END]\` and \`? ADDRESS\` on standard input; END in milliseconds since
 *               1970. What goes is out before anything comes in. Ends with 3, and has done nothing, where a table is not
 *               there. Says the flows to each \`?\`.
 * \`show\`        rules that ask our tables, the tables, the ends, and at last \`= end\`; with an address, of that alone
 * \`cut\`         ends the flows whose ids are on standard input
 * \`close\`       closes what has ended, and what is in a table of things with an end and has none
 *
 * Every verb but \`cut\` waits its turn, half a minute at most.
 */
export const script: string = `# sixgate: openings by labels and people. Made by sixgate, and made anew when it is changed.
set -u
umask 077
PATH=$PATH:/sbin:/bin:/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin
self=${scriptPath}
run=/var/run/sixgate
ends=$run/ends

die() { echo "$*" >&2; exit 1; }

# Names of pf's tables that are the lane's.
names() {
  all=$(pfctl -q -s Tables </dev/null) || return 1
  echo "$all" | tr -d ' ' | grep -E "$1" || :
}

# Takes out what the lines "TABLE ADDRESS" of a file name. A table that is gone holds nothing.
take_out() {
  there=$(names '^sg[lt]_') || return 1
  for table in $(cut -d ' ' -f 1 "$1" | sort -u); do
    echo "$there" | grep -qx "$table" || continue
    awk -v t="$table" '$1 == t { print $2 }' "$1" | pfctl -q -t "$table" -T delete -f - || return 1
  done
}

# Ids of the flows that go by a service that has ended, told from the names of the tables.
flows_of() {
  pfctl -vvss </dev/null >"$run/states" || return 1
  awk '
    NR == FNR {
      parts = split($1, word, "_"); n = ++count[$2]
      protocol[$2, n] = word[2] == "ping" ? "ipv6-icmp" : word[2]
      first[$2, n] = word[3] + 0
      last[$2, n] = (parts > 3 && word[4] ~ /^[0-9]+$/ && length(word[4]) < 6) ? word[4] + 0 : word[3] + 0
      next
    }
    / (<-|->) / {
      hit = 0; to = $4 == "<-" ? $3 : $5; port = to
      sub(/\\[.*/, "", to); sub(/.*\\[/, "", port); sub(/\\]/, "", port)
      for (n = 1; n <= count[to]; n++)
        if ($2 == protocol[to, n] && (word[2] == "ping" || $2 == "ipv6-icmp" || (port + 0 >= first[to, n] && port + 0 <= last[to, n]))) hit = 1
      next
    }
    hit && / id: / { for (i = 1; i < NF; i++) { if ($i == "id:") id = $(i + 1); if ($i == "creatorid:") { print id "/" $(i + 1); hit = 0 } } }
  ' "$1" "$run/states"
}

cut_flows() {
  while read -r each; do
    [ -z "$each" ] || pfctl -q -k id -k "$each" </dev/null || return 1
  done
}

# Closes what has ended: in the second in which it ends. What could not be closed is tried again.
due() {
  [ -s "$ends" ] || return 0
  limit=$(($(date +%s) + 1))000
  awk -v limit="$limit" '$3 + 0 < limit + 0' "$ends" >"$run/due" || return 1
  [ -s "$run/due" ] || return 0
  take_out "$run/due" || return 1
  flows=$(flows_of "$run/due") && echo "$flows" | cut_flows || return 1
  awk -v limit="$limit" '$3 + 0 >= limit + 0' "$ends" >"$ends.new" && mv "$ends.new" "$ends"
}

# One process waits for the ends; it goes when none is left.
wait_for_ends() {
  [ -s "$ends" ] || return 0
  lockf -k -s -t 0 "$run/wait.lock" true || return 0
  daemon -f sh "$self" wait </dev/null >/dev/null 2>&1
}

change() {
  cat >"$run/input"
  due || die "what has ended can't be closed"
  names '^sg[lt]_' >"$run/tables" || die "pf's tables can't be listed"
  for table in $(awk '$1 == "+" { print $2 }' "$run/input" | sort -u); do
    grep -qx "$table" "$run/tables" || { echo "no table $table" >&2; exit 3; }
  done
  awk '$1 == "-" { print $2, $3 }' "$run/input" >"$run/out"
  awk '$1 == "+" { print $2, $3 }' "$run/input" >"$run/in"
  take_out "$run/out" || die "not everything could be closed"
  touch "$ends"
  {
    awk 'NR == FNR { if ($1 != "?") gone[$2 " " $3]; next } !(($1 " " $2) in gone)' "$run/input" "$ends" &&
      awk '$1 == "+" && NF == 4 { print $2, $3, $4 }' "$run/input"
  } >"$ends.new" && mv "$ends.new" "$ends" || die "the ends can't be written down"
  for table in $(cut -d ' ' -f 1 "$run/in" | sort -u); do
    awk -v t="$table" '$1 == t { print $2 }' "$run/in" | pfctl -q -t "$table" -T add -f - && continue
    take_out "$run/in"
    die "not everything could be opened: table $table"
  done
  wait_for_ends
  awk '$1 == "?" { print $2 }' "$run/input" >"$run/asked"
  [ -s "$run/asked" ] || return 0
  pfctl -vvss </dev/null >"$run/states" || die "pf's states can't be listed"
  awk '
    NR == FNR { asked[$1]; next }
    / (<-|->) / { to = $4 == "<-" ? $3 : $5; sub(/\\[.*/, "", to); hit = to in asked; if (hit) print; next }
    hit && / id: / { print; hit = 0 }
  ' "$run/asked" "$run/states"
}

show() {
  due || die "what has ended can't be closed"
  rules=$(pfctl -sr </dev/null) || die "pf's rules can't be listed"
  tables=$(names '^sg[lts]_') || die "pf's tables can't be listed"
  echo "= rules"
  echo "$rules" | grep -E '<sg[lt]_' || :
  for table in $tables; do
    echo "= table $table"
    case $table in sgs_*) some= ;; *) some=\${1:-} ;; esac
    if [ -z "$some" ]; then pfctl -t "$table" -T show </dev/null || die "table $table can't be read"; continue; fi
    # 0 where it is in the table, 2 where it is not.
    pfctl -q -t "$table" -T test "$some" </dev/null >/dev/null 2>&1
    case $? in 0) echo "$some" ;; 2) ;; *) die "table $table can't be read" ;; esac
  done
  echo "= ends"
  touch "$ends" || die "the ends can't be read"
  grep -F -- " \${1:-}" "$ends" || [ $? -eq 1 ] || die "the ends can't be read"
  echo "= end"
}

close() {
  due
  tables=$(names '^sgt_') || die "pf's tables can't be listed"
  : >"$run/strays"
  touch "$ends"
  for table in $tables; do
    entries=$(pfctl -t "$table" -T show </dev/null) || die "table $table can't be read"
    { sed 's/^/end /' "$ends" && echo "$entries"; } | awk -v t="$table" '
      $1 == "end" { known[$2 " " $3]; next }
      NF && !((t " " $1) in known) { print t, $1 }' >>"$run/strays"
  done
  take_out "$run/strays"
  wait_for_ends
}

mkdir -p "$run" || die "$run can't be made"
case \${1:-} in
change | show | close | due)
  verb=$1
  shift
  exec lockf -k -s -t 30 "$run/lane.lock" sh "$self" "locked-$verb" "$@"
  ;;
locked-change) change ;;
locked-show) show "\${2:-}" ;;
locked-close) close ;;
locked-due) due ;;
cut) cut_flows || die "flows can't be ended" ;;
wait) exec lockf -k -s -t 0 "$run/wait.lock" sh "$self" waiting ;;
waiting)
  while [ -s "$ends" ]; do
    sleep 1
    sh "$self" due
  done
  ;;
*) exit 64 ;;
esac
`;
