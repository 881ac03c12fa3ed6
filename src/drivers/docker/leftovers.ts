import { Failure } from "../../base/failure.ts";
import { contains, type Prefix, parsePrefix } from "../../net/prefix.ts";
import type { Shell } from "../../runtime/shell.ts";
import { runIfThere } from "./api.ts";

/** What `ip6tables -t TABLE -S` printed. */
export type Listings = { readonly filter: string; readonly nat: string; readonly raw: string };

const ownChain = /^DOCKER(-USER|-FORWARD|-BRIDGE|-CT|-INTERNAL|-INGRESS|-ISOLATION-STAGE-[12])?$/;
/** Docker's hooks into FORWARD: 28 and later, then up to 27. DOCKER-USER is for people and filters nothing by itself. */
export const filterJump: RegExp = /^-A FORWARD (.* )?-j DOCKER(-FORWARD|-ISOLATION-STAGE-1)?$/;

function rulesOf(listing: string): readonly string[] {
  return listing.split("\n").filter((line) => line.startsWith("-A "));
}

function lies(rule: string, option: "-s" | "-d", block: Prefix): boolean {
  const found = new RegExp(`(?:^| )${option} (\\S+)`).exec(rule)?.[1];
  const prefix = found === undefined ? undefined : parsePrefix(found);
  return prefix !== undefined && contains(block, prefix);
}

function deletions(table: string, rules: readonly string[]): readonly (readonly string[])[] {
  return rules.map((rule) => ["-t", table, "-D", ...rule.slice(3).split(" ")]);
}

/** Flushes and removes Docker's chains of a table; DOCKER-USER stays where somebody has put a rule into it. */
function chains(table: string, listing: string): readonly (readonly string[])[] {
  const rules = rulesOf(listing);
  const inUse = rules.some((rule) => rule.startsWith("-A DOCKER-USER ") && rule !== "-A DOCKER-USER -j RETURN");
  const names = listing
    .split("\n")
    .filter((line) => line.startsWith("-N "))
    .map((line) => line.slice(3))
    .filter((name) => ownChain.test(name) && !(name === "DOCKER-USER" && inUse));
  return [...names.map((name) => ["-t", table, "-F", name]), ...names.map((name) => ["-t", table, "-X", name])];
}

/**
 * Arguments of ip6tables that remove what an engine left of its IPv6 filter. With `ip6tables: false` Docker (27 and
 * later) does not even clean up: the drops and the masquerading of the run before stay until the next boot (seen with
 * 28.5.2). Touches only Docker's own chains, the jumps into them, and its rules about addresses in `block`.
 */
export function leftoverCommands(seen: Listings, block: Prefix): readonly (readonly string[])[] {
  const user = chains("filter", seen.filter).some((argv) => argv.includes("DOCKER-USER"));
  const forward = rulesOf(seen.filter).filter((rule) => rule.startsWith("-A FORWARD "));
  const jumps = forward.filter((rule) => filterJump.test(rule) || (user && rule === "-A FORWARD -j DOCKER-USER"));
  const nat = rulesOf(seen.nat).filter(
    (rule) =>
      /^-A (PREROUTING|OUTPUT) .*-j DOCKER$/.test(rule) ||
      (rule.startsWith("-A POSTROUTING ") && rule.endsWith("-j MASQUERADE") && lies(rule, "-s", block)),
  );
  const raw = rulesOf(seen.raw).filter(
    (rule) => rule.startsWith("-A PREROUTING ") && rule.endsWith("-j DROP") && lies(rule, "-d", block),
  );
  // Docker drops by policy when it turned forwarding on itself. Where others have rules in FORWARD the policy is theirs.
  const alone = jumps.length > 0 && jumps.length === forward.length && seen.filter.includes("-P FORWARD DROP");
  return [
    ...deletions("filter", jumps),
    ...deletions("nat", nat),
    ...deletions("raw", raw),
    ...chains("filter", seen.filter),
    ...chains("nat", seen.nat),
    ...(alone ? [["-t", "filter", "-P", "FORWARD", "ACCEPT"]] : []),
  ];
}

async function listing(shell: Shell, table: string): Promise<string | undefined> {
  const ran = await runIfThere(shell, ["ip6tables", "-w", "-t", table, "-S"]);
  if (ran === undefined) return undefined;
  // The raw table may be missing from a kernel; then nothing of Docker's is in it.
  if (ran.code === 0 || table === "raw") return ran.code === 0 ? ran.stdout : "";
  throw new Failure(
    "E503",
    shell.name,
    `ip6tables -t ${table} -S: ${ran.stderr.trim().slice(0, 300)}`,
    "try it by hand as root on the host",
  );
}

/** Makes good for an engine that runs with `ip6tables: false` and ran without before. */
export async function clearLeftovers(shell: Shell, block: Prefix): Promise<void> {
  const [filter, nat, raw] = [await listing(shell, "filter"), await listing(shell, "nat"), await listing(shell, "raw")];
  if (filter === undefined || nat === undefined || raw === undefined) return;
  for (const argv of leftoverCommands({ filter, nat, raw }, block)) {
    const ran = await shell.run(["ip6tables", "-w", ...argv]);
    if (ran.code === 0) continue;
    throw new Failure(
      "E511",
      shell.name,
      `"ip6tables ${argv.join(" ")}": ${ran.stderr.trim().slice(0, 300)}`,
      "the change was taken back",
    );
  }
}
