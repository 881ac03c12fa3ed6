import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { allocate } from "../src/addressing/allocate.ts";
import { emptyLedger } from "../src/addressing/ledger.ts";
import { derive } from "../src/desired/derive.ts";
import type { GatewayDesired } from "../src/desired/desired.ts";
import { rulesetOf } from "../src/drivers/nftables/convert.ts";
import { listingOf } from "../src/drivers/nftables/planned-rules.ts";
import { parseRules } from "../src/drivers/nftables/rules.ts";
import { parseFleet } from "../src/fleet/parse-fleet.ts";
import { type Address, fromBits } from "../src/net/address.ts";
import { baseBits, prefix } from "../src/net/prefix.ts";
import type { Opening } from "../src/openings/opening.ts";
import { claimsFor } from "../src/proof/allowed.ts";
import { Exposure } from "../src/proof/exposure.ts";
import { PacketSpace } from "../src/proof/packet-set.ts";
import { plannedSite } from "../src/proof/planned-site.ts";
import { placesOf } from "../src/proof/vantages.ts";
import { Verifier } from "../src/proof/verify.ts";
import { printTable, type Row } from "./measure.ts";

const sizes: readonly number[] = [1000, 10_000, 100_000, 1_000_000];

/**
 * The proof of the lab's fleet with so many static openings: four ports at each address, the addresses in the blocks of
 * its hosts. Figures are milliseconds of one run, of the largest size one; the ratio is to ten times fewer, and 10 is even.
 */
export function run(options: { readonly json: boolean }): Promise<void> {
  const rows: Row[] = [];
  let before = new Map<string, number>();
  for (const size of sizes) {
    const now = measure(size);
    for (const [name, figure] of now) {
      const less = before.get(name);
      const grown = less === undefined ? {} : { ratio: less / figure, beside: "a tenth of them" };
      rows.push({ name: `${size.toLocaleString("en-US")} openings: ${name}`, figure, unit: "ms", ...grown });
    }
    before = now;
  }
  if (options.json) console.log(JSON.stringify({ suite: "proof", rows }));
  else printTable("proof: exposure and verify from the Internet, by the rules as nft lists them", rows);
  return Promise.resolve();
}

function measure(size: number): Map<string, number> {
  const desired = gatewayWith(size);
  const text = JSON.stringify({ nftables: listingOf(rulesetOf(desired)) });
  const figures = new Map<string, number>();
  const timed = <T>(name: string, work: () => T): T => {
    const began = performance.now();
    const result = work();
    figures.set(name, performance.now() - began);
    return result;
  };
  const site = plannedSite(desired);
  const [internet] = placesOf(desired, new Map());
  if (internet === undefined) throw new Error("no vantage");
  const rules = timed(`reading the listing`, () => parseRules(text));
  const space = new PacketSpace();
  const exposure = timed("exposure", () => new Exposure(rules, site, internet.vantage, space));
  const verifier = timed(
    "what is allowed",
    () => new Verifier(exposure, claimsFor(space, desired, [], internet, site)),
  );
  const found = timed("verify", () => verifier.differences(rules, site));
  if (found.length > 0) throw new Error(`${found.length} differences where there are none`);
  figures.set("one change, exposed and verified", updates(exposure, verifier, desired));
  return figures;
}

/** Milliseconds for an element that comes and goes, each time judged and compared; the median of 200. */
function updates(exposure: Exposure, verifier: Verifier, { openings }: GatewayDesired): number {
  const took: number[] = [];
  for (let round = 0; round < 200; round++) {
    const to = openings[(round * 7919) % openings.length]?.to;
    if (to === undefined) throw new Error("no opening");
    const began = performance.now();
    for (const kind of ["add", "remove"] as const) {
      const changed = exposure.update([{ kind, set: "inet sixgate static_open", element: [to, 6, 10_000 + round] }]);
      const differs = changed?.some((address) => verifier.at(address).length > 0);
      if (differs !== (kind === "add")) throw new Error("a change that is not seen");
    }
    took.push((performance.now() - began) / 2);
  }
  return took.sort((a, b) => a - b)[100] ?? Number.NaN;
}

const ports = [80, 443, 8080, 8443];

function gatewayWith(size: number): GatewayDesired {
  const file = fileURLToPath(new URL("../examples/lab.yaml", import.meta.url));
  const fleet = parseFleet(readFileSync(file, "utf8"), file);
  if (!fleet.ok) throw new Error("no fleet");
  const numbered = allocate(fleet.value, emptyLedger(fleet.value.name));
  if (!numbered.ok) throw new Error("no plan");
  const found = derive(fleet.value, numbered.value.plan).find((each) => each.layer === "gateway");
  if (found === undefined) throw new Error("no gateway");
  const openings: Opening[] = [];
  for (let n = 0; openings.length < size; n++) {
    const host = found.hosts[n % found.hosts.length];
    if (host === undefined) throw new Error("no host");
    // Spread over the block's networks, as containers are.
    const to: Address = fromBits(baseBits(host.block) + (BigInt(1 + (n % 15)) << 48n) + BigInt(0x100 + n));
    for (const port of ports) {
      openings.push({
        host: host.host,
        to,
        service: { kind: "ports", transport: "tcp", ports: { first: port, last: port } },
        from: [prefix("::/0")],
        askedBy: "fleet.yaml",
      });
    }
  }
  return { ...found, openings };
}
