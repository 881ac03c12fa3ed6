import { must } from "../../../lab/harness.ts";
import { askSteps, faultIn, step } from "../ask.ts";
import type { Bench } from "../bench.ts";
import type { Procedure } from "../procedures.ts";

const nodes = ["fw", "vm1", "vm2"] as const;

/** So many solicitations may be sent for neighbours that are known, while their entries grow old. */
const ordinary = 40;

/** Counts the neighbour solicitations that a node sends, from now on. */
async function countSolicitations(bench: Bench, node: string): Promise<() => Promise<number>> {
  const shell = bench.lab.shell(node);
  const table = `table inet witness_ns {
  chain sent {
    type filter hook output priority 300; policy accept;
    icmpv6 type nd-neighbor-solicit counter
  }
}
`;
  await must(shell, ["nft", "-f", "-"], table);
  return async () => {
    const listed = await must(shell, ["nft", "-j", "list", "table", "inet", "witness_ns"]);
    await must(shell, ["nft", "delete", "table", "inet", "witness_ns"]);
    return Number(/"packets": ?(\d+)/.exec(listed)?.[1]);
  };
}

/** RFC 6583 §6.1. The scanned networks are those that containers are in, so that each address is one to be looked for. */
export const scan: Procedure = {
  says: "60,000 TCP, UDP and echo packets to addresses of both hosts' networks; solicitations sent for them; then a container whose entry is gone answers",
  async run(bench) {
    const counts = await Promise.all(nodes.map((node) => countSolicitations(bench, node)));
    const faults: (string | undefined)[] = [];
    const networks = bench.lab.wish.plan.hosts.flatMap((host) => [
      host.link,
      ...host.networks.map((each) => each.prefix),
    ]);
    for (const [at, network] of networks.entries()) {
      const [base = "", length = ""] = network.split("/");
      const layer = [
        "TCP(sport=sp, dport=443, flags='S')",
        "UDP(sport=sp, dport=4433)",
        "TCP(sport=sp, dport=22, flags='S')",
      ][at % 3];
      const send = `[each for each in scatter(ip(peer, nobody)/${layer}, '${base}', ${length}, 10000) if each[24:40] not in taken]`;
      faults.push(await faultIn(bench, network, [{ ...step("internet", send, "dropped"), pause: 0 }]));
    }
    const sent = await Promise.all(counts.map((count) => count()));
    const asked = nodes.flatMap((node, at) =>
      (sent[at] ?? 0) > ordinary ? [`${node} sent ${sent[at]} solicitations`] : [],
    );
    if (asked.length > 0) return asked.join(", ");
    await must(bench.lab.shell("vm1"), ["ip", "-6", "neigh", "flush", "dev", "br-n2"]);
    const fresh = await faultIn(bench, "a container that was not known", [
      step("internet", "ip(peer, web)/TCP(sport=sp, dport=443, flags='S')", "forwarded, answered TCP SA"),
    ]);
    return faults.find((fault) => fault !== undefined) ?? fresh;
  },
};

/** Few enough to stay below the kernel's limit (gc_thresh3, 1,024 for the whole machine): nobody else is to notice. */
const offered = 400;
/** What the gateway may keep of them. */
const bound = 200;

/** RFC 6583 §7.1. Whoever can fill the cache can make the other hosts unreachable: so one host may not fill it. */
export const neighbourFlood: Procedure = {
  says: "400 solicitations of one host from addresses of its own link, then from link-local ones, then, open between hosts, packets of the other host to unused addresses of that link: what the gateway keeps of them, and flows to both hosts",
  async run(bench) {
    const [first] = bench.lab.wish.plan.hosts;
    if (first === undefined) throw new Error("The bench has no hosts");
    const [base = "", length = ""] = first.link.split("/");
    const ask = (source: string): string =>
      `ip(${source}, gateway_inside, hlim=255)/ICMPv6ND_NS(tgt=gateway1)/ICMPv6NDOptSrcLLAddr(lladdr=mac1)`;
    const unused = "ip(host2, host1)/UDP(sport=sp, dport=9)";
    try {
      return (
        (await flooded(bench, "vm1", `scatter(${ask("host1")}, '${base}', ${length}, ${offered}, "source")`)) ??
        (await flooded(bench, "vm1", `scatter(${ask("link_local1")}, 'fe80::', 64, ${offered}, "source")`)) ??
        (await whileOpen(bench, () =>
          flooded(
            bench,
            "vm2",
            `[each for each in scatter(${unused}, '${base}', ${length}, ${offered}) if each[24:40] not in taken]`,
          ),
        ))
      );
    } finally {
      await bench.greet();
    }
  },
};

async function whileOpen(bench: Bench, work: () => Promise<string | undefined>): Promise<string | undefined> {
  await bench.setPolicy("open between hosts");
  try {
    return await work();
  } finally {
    await bench.setPolicy("as written");
  }
}

async function flooded(bench: Bench, from: "vm1" | "vm2", packets: string): Promise<string | undefined> {
  const toSecond = step("internet", "ip(peer, calm)/UDP(sport=sp, dport=443)", "forwarded");
  const toFirst = step("internet", "ip(peer, mute)/UDP(sport=sp, dport=443)", "forwarded");
  await bench.greet();
  // Whether they are let in is not the question here.
  await askSteps(bench, [[{ ...step(from, packets, "stopped"), pause: 0 }]]);
  const kept = await must(bench.lab.shell("fw"), [
    "ip",
    "-6",
    "neigh",
    "show",
    "nud",
    "all",
    "dev",
    bench.desired.inside,
  ]);
  const count = kept.split("\n").length - 1;
  if (count > bound) return `${packets}: the gateway keeps ${count} neighbours`;
  return faultIn(bench, "flows after it", [toSecond, toFirst]);
}
