import { Failure } from "../../base/failure.ts";
import { printable } from "../../base/printable.ts";
import { plannedSite } from "../../proof/planned-site.ts";
import type { Shell } from "../../runtime/shell.ts";
import { shellOf } from "../../runtime/way.ts";
import type { Loaded, RulesOf } from "../rules-of.ts";
import { plannedRules } from "./planned-rules.ts";
import { parseRules, type Surroundings } from "./rules.ts";
import { parseSite } from "./site.ts";

/** Milliseconds. A million elements in sets of some thousands take nft half a minute to print. */
const readLimit = 120_000;

/** nftables: every table of the gateway, with what else decides there. nft 1.0.6 or later. */
export const nftablesRules: RulesOf = {
  async loaded(way, signal) {
    const shell = shellOf(way);
    const [listing, routes, rules, legacy, bridges] = await Promise.all([
      printed(shell, ["nft", "--json", "--numeric", "list", "ruleset"], signal),
      printed(shell, ["ip", "-6", "-json", "route", "show", "table", "all"], signal),
      printed(shell, ["ip", "-6", "-json", "rule"], signal),
      hasLegacyRules(shell, signal),
      printed(shell, ["ip", "-json", "link", "show", "type", "bridge"], signal),
    ]);
    // nft 1.0 leaves the interfaces of such a chain out of its JSON; its own words have them.
    const isOnDevices = /"hook": ?"(?:ingress|egress)"/.test(listing);
    const devices = isOnDevices
      ? parseDevices(await printed(shell, ["nft", "list", "chains"], signal))
      : new Map<string, readonly string[]>();
    const around: Surroundings = { legacy, bridges: namesIn(bridges), devices };
    return understood(shell, () => ({
      rules: parseRules(listing, around),
      site: parseSite(routes || "[]", rules || "[]"),
    }));
  },
  planned: (desired) => ({ rules: plannedRules(desired), site: plannedSite(desired) }),
};

async function printed(shell: Shell, argv: readonly string[], signal: AbortSignal | undefined): Promise<string> {
  const ran = await shell.run(argv, { timeout: readLimit, ...(signal === undefined ? {} : { signal }) });
  if (ran.code === 0) return ran.stdout.trim();
  throw new Failure(
    "E970",
    shell.name,
    `\`${argv.join(" ")}\` ended with ${ran.code}: ${printable(ran.stderr.trim().slice(0, 300))}`,
    "what is loaded can't be judged without it: try it by hand on the gateway",
  );
}

function understood(shell: Shell, read: () => Loaded): Loaded {
  try {
    return read();
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new Failure("E970", shell.name, `Rules or routes in a form that is not understood: ${text}`, "report it", {
      cause,
    });
  }
}

function namesIn(text: string): readonly string[] {
  const links = (text === "" ? [] : JSON.parse(text)) as readonly { readonly ifname?: string }[];
  return links.flatMap((each) => each.ifname ?? []);
}

/** Tables of the old kind are there once something asked for them; they count when one of them has a rule or a policy. */
async function hasLegacyRules(shell: Shell, signal: AbortSignal | undefined): Promise<boolean> {
  const options = signal === undefined ? {} : { signal };
  // No such file: nothing ever asked. One that can't be read, by a controller that is not root, is unknown.
  const path = "/proc/net/ip6_tables_names";
  const tables = await printed(shell, ["sh", "-c", 'if [ -e "$1" ]; then cat "$1"; fi', "sh", path], signal);
  if (tables === "") return false;
  const saved = await shell.run(["ip6tables-legacy-save"], options);
  return saved.code !== 0 || /^-A |^:\S+ DROP/m.test(saved.stdout);
}

/** Reads `nft list chains`: by the full name of a chain the interfaces that it is on. */
export function parseDevices(text: string): ReadonlyMap<string, readonly string[]> {
  const devices = new Map<string, readonly string[]>();
  let [table, chain] = ["", ""];
  for (const line of text.split("\n")) {
    table = /^table (\S+ \S+) \{/.exec(line)?.[1] ?? table;
    chain = /^\s+chain (\S+) \{/.exec(line)?.[1] ?? chain;
    const one = /hook (?:ingress|egress) device "?([^"\s]+)"? priority/.exec(line)?.[1];
    const several = /hook (?:ingress|egress) devices = \{ ([^}]*) \}/.exec(line)?.[1];
    const names = one === undefined ? several?.split(/,\s*/).map((each) => each.trim().replaceAll('"', "")) : [one];
    if (names !== undefined) devices.set(`${table} ${chain}`, names);
  }
  return devices;
}
