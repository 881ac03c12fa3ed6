import { parseAddress } from "../../net/address.ts";
import { parseAddress4 } from "../../net/ipv4.ts";

/** A TCP connection that a program of the machine holds, from who began it. */
export type Session = {
  readonly from: string;
  readonly to: string;
  readonly fromPort: number;
  readonly toPort: number;
};

type End = { readonly address: string; readonly port: number };

/** `10.0.0.1:22`, `[2001:db8::1]:22`, `[::ffff:10.0.0.1]:22`, `*:22`; `%eth0` stands before or behind the bracket. */
function endIn(word: string): End | undefined {
  const [, host = "", port = ""] = /^(.*):(\d+|\*)$/.exec(word) ?? [];
  const bare = host.replace(/%[^\]]*/, "").replace(/^\[(.*)\]$/, "$1");
  const address = parseAddress4(bare.replace(/^::ffff:/i, "")) ?? parseAddress(bare);
  return address === undefined ? undefined : { address, port: Number(port) };
}

/**
 * Reads `ss -Htn state established` and `ss -Htln` of iproute2 (6.1): the sessions with other machines. Who began one is told by
 * who listens. A line that is not understood is left out: nobody is worse off than without.
 */
export function parseSessions(established: string, listening: string): readonly Session[] {
  const open = new Set(listening.split("\n").map((line) => /:(\d+)$/.exec(line.trim().split(/\s+/)[3] ?? "")?.[1]));
  return established.split("\n").flatMap((line) => {
    const [, , near = "", far = ""] = line.trim().split(/\s+/);
    const [local, peer] = [endIn(near), endIn(far)];
    if (local === undefined || peer === undefined || /^(127\.|::1$)/.test(local.address)) return [];
    const [first, last] = open.has(`${local.port}`) ? [peer, local] : [local, peer];
    return [{ from: first.address, to: last.address, fromPort: first.port, toPort: last.port }];
  });
}

/**
 * Reads lines `FROM TO PORT PORT`, and has connection tracking know each as a connection that both sides spoke in. One that
 * it knows already may be of long ago: made anew, unless addresses are translated in it.
 */
export const rememberScript = `while read -r from to sport dport; do
  set -- -p tcp -s "$from" -d "$to" --sport "$sport" --dport "$dport"
  new="--state ESTABLISHED -u SEEN_REPLY,ASSURED -t 432000"
  conntrack -I "$@" $new && continue
  conntrack -D "$@" -r "$to" -q "$from" --reply-port-src "$dport" --reply-port-dst "$sport" && conntrack -I "$@" $new
done >/dev/null 2>&1
exit 0`;

export function rememberInput(sessions: readonly Session[]): string {
  return sessions.map(({ from, to, fromPort, toPort }) => `${from} ${to} ${fromPort} ${toPort}\n`).join("");
}
