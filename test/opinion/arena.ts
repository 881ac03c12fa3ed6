import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { type Address, parseAddress } from "../../src/net/address.ts";
import { prefix } from "../../src/net/prefix.ts";
import type { Site } from "../../src/proof/filter-rules.ts";
import { type Machine, startMachine } from "../machine.ts";

const script = fileURLToPath(new URL("arena.py", import.meta.url));

/** Links of the gateway: packets come in by `wan`, and leave by the one that has the route. */
export const links = ["wan", "lan", "dmz"] as const;
const hardware: Readonly<Record<string, string>> = {
  wan: "02:00:00:00:01:01",
  lan: "02:00:00:00:01:02",
  dmz: "02:00:00:00:01:03",
};

export function hardwareOf(link: string): number {
  return Number.parseInt((hardware[link] ?? "").replaceAll(":", ""), 16);
}

/** Where the gateway sends what: the same in the kernel of the arena and for the evaluator. */
export const site: Site = {
  routes: [
    { to: prefix("2001:db8:1::/48"), kind: "out", device: "lan" },
    { to: prefix("2001:db8:2::/48"), kind: "out", device: "dmz" },
    { to: prefix("2001:db8:3::/48"), kind: "nowhere" },
    { to: prefix("2001:db8:4::/48"), kind: "out", device: "wan" },
    { to: prefix("2001:db8:a::/48"), kind: "out", device: "wan" },
    { to: prefix("2001:db8:9::1/128"), kind: "local" },
  ],
};

export type Case = {
  /** Tables, chains and sets: all of it has to load. */
  readonly setup: string;
  /** `add rule …`, one by one: what nft or the kernel refuses is left out. */
  readonly rules: readonly string[];
  readonly frames: readonly { readonly device: string; readonly bytes: Buffer }[];
};

export type Ran = {
  readonly listing: string;
  readonly refused: readonly (readonly [rule: string, why: string])[];
  /** Links that a frame came out by, by the number of the frame in the case. */
  readonly seen: ReadonlyMap<number, readonly string[]>;
  /** Source, destination, protocol and ports of what the gateway took for itself. */
  readonly taken: ReadonlySet<string>;
};

export async function startArena(): Promise<Machine> {
  const machine = await startMachine(
    "arena",
    links.map((name) => ({ name, mac: hardware[name] })),
  );
  const lines = [
    "for each in all default; do echo 0 >/proc/sys/net/ipv6/conf/$each/accept_dad; done",
    ...links.map((link) => `echo 1 >/proc/sys/net/ipv6/conf/x-${link}/disable_ipv6`),
    ...links.map((link) => `ip -6 neigh add fe80::99 lladdr 02:00:00:00:02:99 dev ${link} nud permanent`),
    "ip link set lo up",
    "ip -6 addr add 2001:db8:9::1/128 dev lo nodad",
    "echo 1 >/proc/sys/net/ipv6/conf/all/forwarding",
    ...site.routes.flatMap((route) => {
      if (route.kind === "out") return [`ip -6 route add ${route.to} via fe80::99 dev ${route.device}`];
      return route.kind === "nowhere" ? [`ip -6 route add unreachable ${route.to}`] : [];
    }),
  ];
  const ran = await machine.sh(lines.join("\n"));
  if (ran.code === 0) return machine;
  await machine.stop();
  throw new Error(ran.stderr);
}

/** Runs the cases one after the other in one process; undefined for a ruleset that nft can't list. `quiet`: seconds without a packet after which no more will come. */
export async function runCases(
  machine: Machine,
  cases: readonly Case[],
  quiet = 0.005,
): Promise<readonly (Ran | undefined)[]> {
  const input = JSON.stringify({
    quiet,
    cases: cases.map(({ setup, rules, frames }) => ({
      setup,
      rules,
      frames: frames.map(({ device, bytes }) => [device, bytes.toString("hex")]),
    })),
  });
  const source = await readFile(script, "utf8");
  const ran = await machine.shell.run(["python3", "-c", source], { input, timeout: 600_000 });
  if (ran.code !== 0) throw new Error(`arena.py: ${ran.stderr}`);
  return ran.stdout.trimEnd().split("\n").map(ranOf);
}

function ranOf(line: string): Ran | undefined {
  const answer = JSON.parse(line) as {
    failed?: string;
    unlisted?: boolean;
    listing: string;
    refused: [string, string][];
    taken: string;
    seen: Record<string, string[]>;
  };
  if (answer.failed !== undefined) throw new Error(`The ruleset does not load: ${answer.failed}`);
  if (answer.unlisted === true) return undefined;
  return {
    listing: answer.listing,
    refused: answer.refused,
    seen: new Map(Object.entries(answer.seen).map(([id, devices]) => [Number(id), devices])),
    taken: takenIn(answer.taken),
  };
}

export function takenKey(from: Address, to: Address, protocol: number, fromPort: number, toPort: number): string {
  return `${from} ${to} ${protocol} ${fromPort} ${toPort}`;
}

type Tuple = { readonly concat: readonly [string, string, number, number, number] };

function takenIn(text: string): ReadonlySet<string> {
  const listing = JSON.parse(text) as { nftables: { set?: { elem?: (Tuple | { elem: { val: Tuple } })[] } }[] };
  const found = new Set<string>();
  for (const element of listing.nftables.flatMap((each) => each.set?.elem ?? [])) {
    const { concat } = "elem" in element ? element.elem.val : element;
    const [from, to] = [parseAddress(concat[0]), parseAddress(concat[1])];
    if (from !== undefined && to !== undefined) found.add(takenKey(from, to, concat[2], concat[3], concat[4]));
  }
  return found;
}
