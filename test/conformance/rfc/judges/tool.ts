import { setTimeout as pause } from "node:timers/promises";
import { must } from "../../../lab/harness.ts";
import { faultsOf, step } from "../ask.ts";
import type { Bench } from "../bench.ts";
import type { Tool } from "../judge-table.ts";
import type { Depth } from "../procedures.ts";

/** What is wrong after an attacker ran, or undefined. */
export async function toolFault(bench: Bench, tool: Tool, depth: Depth): Promise<string | undefined> {
  await bench.greet();
  const before = await stateOf(bench);
  const count = await countPackets(bench, tool.from);
  const seconds = depth === "quick" ? (tool.quick ?? tool.seconds) : tool.seconds;
  const said = await letRun(bench, tool, seconds);
  await pause(200);
  const { reached, behind } = await count();
  if (reached < tool.reaches)
    return `${reached} of its packets came to the gateway, at least ${tool.reaches} were to: ${said}`;
  if (behind > 0) return `${behind} of its packets came out behind the gateway`;
  const after = await stateOf(bench);
  if (after !== before) return `routes, addresses or neighbours changed:\n${before}\n${after}`;
  const faults = await faultsOf(
    bench,
    flows.map((each) => ({ what: "a flow after it", policy: "as written", steps: [each] })),
  );
  return faults.find((fault) => fault !== undefined);
}

/** They pass at any time. */
const flows = [
  step("internet", "ip(peer, calm)/UDP(sport=sp, dport=443)", "forwarded"),
  step("internet", "ip(peer, web)/TCP(sport=sp, dport=443, flags='S')", "forwarded, answered TCP SA"),
  step("vm1", "ip(mute, peer)/UDP(sport=sp, dport=9000)", "forwarded"),
  step("vm2", "ip(calm, mute)/UDP(sport=sp, dport=443)", "forwarded"),
];

/** Runs the program until it ends or its time is over; gives the last `keep` characters of what it said. */
export async function letRun(
  bench: Bench,
  tool: Pick<Tool, "from" | "run">,
  seconds: number,
  keep = 300,
): Promise<string> {
  const line = tool.run.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const found = bench.names[name];
    if (found === undefined) throw new Error(`The bench knows no ${name}`);
    return found;
  });
  const words = ["timeout", "-s", "INT", "-k", "2", String(seconds), "sh", "-c", line];
  const ran = await bench.lab.shell(tool.from).run(words, { timeout: (seconds + 30) * 1000 });
  // 124: its time was over. Programs of both kits end with 1 where they only got no answer.
  if (ran.code === 127) throw new Error(ran.stderr.trim());
  return `${ran.stdout}${ran.stderr}`.trim().slice(-keep);
}

/** Routes and addresses of all three, and whom the gateway takes for the hosts. */
async function stateOf(bench: Bench): Promise<string> {
  const nodes = await Promise.all(
    ["fw", "vm1", "vm2"].map(async (node) => {
      const shell = bench.lab.shell(node);
      const routes = await must(shell, ["ip", "-6", "route", "show"]);
      return routes + (await must(shell, ["ip", "-6", "-o", "addr"]));
    }),
  );
  const neighbours = await Promise.all(
    bench.desired.hosts.map(async ({ address }) => {
      const words = ["ip", "-6", "neigh", "show", address, "dev", bench.desired.inside];
      return /lladdr \S+/.exec(await must(bench.lab.shell("fw"), words))?.[0] ?? "unknown";
    }),
  );
  return [...nodes, ...neighbours].join("\n").replaceAll(/\b(valid_lft|preferred_lft|expires) \S+/g, "");
}

type Count = { readonly reached: number; readonly behind: number };

/** Counts from now on: what comes to the gateway on the attacker's side, and what comes to the closed container's host. */
async function countPackets(bench: Bench, from: Tool["from"]): Promise<() => Promise<Count>> {
  const { uplink, inside } = bench.desired;
  const device = from === "internet" ? uplink : inside;
  const [gateway, host] = [bench.lab.shell("fw"), bench.lab.shell("vm1")];
  const table = (family: string, hook: string, match: string): string =>
    `table ${family} attacker {\n  chain seen {\n    type filter hook ${hook}; policy accept;\n    ${match} counter\n  }\n}\n`;
  await must(
    gateway,
    ["nft", "-f", "-"],
    table("netdev", `ingress device "${device}" priority 1`, "meta protocol ip6"),
  );
  const shut = bench.names["shut"] ?? "";
  await must(host, ["nft", "-f", "-"], table("inet", "prerouting priority -500", `iifname "eth1" ip6 daddr ${shut}`));
  return async () => {
    const counted = async (shell: typeof gateway, family: string): Promise<number> => {
      const listed = await must(shell, ["nft", "-j", "list", "table", family, "attacker"]);
      await must(shell, ["nft", "delete", "table", family, "attacker"]);
      return Number(/"packets": ?(\d+)/.exec(listed)?.[1]);
    };
    const [reached, behind] = await Promise.all([counted(gateway, "netdev"), counted(host, "inet")]);
    return { reached, behind };
  };
}
