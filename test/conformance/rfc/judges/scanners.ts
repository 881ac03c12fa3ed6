import { parseAddress } from "../../../../src/net/address.ts";
import type { Bench } from "../bench.ts";
import type { Depth, Procedure } from "../procedures.ts";
import { letRun } from "./tool.ts";

/** All ports, or the well-known ones and those that containers listen on. */
const portsFor: Readonly<Record<Depth, string>> = { full: "1-65535", quick: "1-1100,8000-8100" };

/** Open and closed TCP ports as nmap sees them; whatever it says nothing of is filtered. */
async function ports(bench: Bench, name: string, depth: Depth): Promise<{ open: string; closed: string }> {
  const run = `nmap -6 -n -Pn -sS -p ${portsFor[depth]} --max-retries 0 --min-rate 6000 -oG - {${name}}`;
  const said = await letRun(bench, { from: "internet", run }, 300, 100_000);
  if (!/Nmap done/.test(said)) throw new Error(`nmap did not end: ${said}`);
  const found = (state: string): string =>
    [...said.matchAll(new RegExp(`(\\d+)/${state}/tcp`, "g"))].map(([, port]) => port).join(",");
  // A state of most ports is only counted.
  const counted = /Ignored State: closed \((\d+)\)/.exec(said)?.[1];
  return { open: found("open"), closed: counted === undefined ? found("closed") : `${counted} of them` };
}

export const nmapOpen: Procedure = {
  says: "a SYN scan from the Internet: open is what the fleet file opens, the rest is filtered; in `npm test` 1,200 ports",
  async run(bench, depth) {
    const { open, closed } = await ports(bench, "web", depth);
    if (open !== "443") return `open: ${open === "" ? "nothing" : open}`;
    return closed === "" ? undefined : `closed, and so not silent: ${closed}`;
  },
};

export const nmapClosed: Procedure = {
  says: "the same of a container that listens and has no opening and of the gateway; of one that is open for others and the gateway's address for hosts 1,200 ports; in `npm test` of all four 1,200",
  async run(bench, depth) {
    const targets = [
      ["shut", depth],
      ["gateway", depth],
      ["api", "quick"],
      ["gateway1", "quick"],
    ] as const;
    for (const [name, wide] of targets) {
      const { open, closed } = await ports(bench, name, wide);
      if (open !== "" || closed !== "") return `${name}: open ${open}; closed ${closed}`;
    }
    return undefined;
  },
};

export const scan6: Procedure = {
  says: "256 addresses, of which three have a container",
  async run(bench) {
    const said = await letRun(bench, { from: "internet", run: "scan6 -d 2001:db8:1234:321d:22::0-ff" }, 60, 100_000);
    const found = said.split("\n").flatMap((line) => parseAddress(line.trim()) ?? []);
    const wanted = bench.names["web"];
    return found.length === 1 && found[0] === wanted ? undefined : `it found ${found.join(", ") || "nothing"}`;
  },
};
