import { must } from "../../../lab/harness.ts";
import { askSteps, faultIn, step } from "../ask.ts";
import type { Bench } from "../bench.ts";
import type { Procedure } from "../procedures.ts";
import type { Step } from "../table.ts";

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
  says: "400 solicitations of one host from addresses of its own link, then from link-local ones, then from MAC addresses that nobody has: what the gateway keeps of them, and flows to both hosts",
  async run(bench) {
    const [base = "", length = ""] = firstLink(bench).split("/");
    const solicitation = (source: string, mac: string): string =>
      `ip(${source}, gateway_inside, hlim=255)/ICMPv6ND_NS(tgt=gateway1)/ICMPv6NDOptSrcLLAddr(lladdr=${mac})`;
    const own = `scatter(${solicitation("host1", "mac1")}, '${base}', ${length}, ${offered}, "source")`;
    const linkLocal = `scatter(${solicitation("link_local1", "mac1")}, 'fe80::', 64, ${offered}, "source")`;
    const foreign = `scatter(${solicitation("'fe80::99'", "'02:00:00:00:00:99'")}, 'fe80::', 64, ${offered}, "source")`;
    return (
      (await kept(bench, step("vm1", own, "stopped"))) ??
      (await kept(bench, step("vm1", linkLocal, "stopped"))) ??
      (await kept(bench, { ...step("vm1", foreign, "stopped"), mac: "02:00:00:00:00:99" }))
    );
  },
};

/** The same from the other side: what a neighbour is asked to look for. A deviation, and this is how large it is. */
export const neighbourFloodOpen: Procedure = {
  says: "packets of one host to 400 unused addresses of the other's link: what the gateway keeps of them",
  async run(bench) {
    const [base = "", length = ""] = firstLink(bench).split("/");
    const packets = `[each for each in scatter(ip(host2, host1)/UDP(sport=sp, dport=9), '${base}', ${length}, ${offered}) if each[24:40] not in taken]`;
    const closed = await kept(bench, step("vm2", packets, "stopped"));
    if (closed !== undefined) return `closed between hosts: ${closed}`;
    await bench.setPolicy("open between hosts");
    try {
      const open = await kept(bench, step("vm2", packets, "stopped"));
      return open === undefined ? "the gateway keeps few neighbours: it does not deviate any more" : undefined;
    } finally {
      await bench.setPolicy("as written");
    }
  },
};

function firstLink(bench: Bench): string {
  const [first] = bench.lab.wish.plan.hosts;
  if (first === undefined) throw new Error("The bench has no hosts");
  return first.link;
}

/** What is wrong after the packets: too many neighbours kept, or flows that don't come through any more. */
async function kept(bench: Bench, flood: Step): Promise<string | undefined> {
  await bench.greet();
  try {
    // Whether they are let in is not the question here.
    await askSteps(bench, [[{ ...flood, pause: 0 }]]);
    const words = ["ip", "-6", "neigh", "show", "nud", "all", "dev", bench.desired.inside];
    const count = (await must(bench.lab.shell("fw"), words)).split("\n").length - 1;
    if (count > bound) return `${flood.send.join("; ")}: the gateway keeps ${count} neighbours`;
    return await faultIn(bench, "flows after it", [
      step("internet", "ip(peer, calm)/UDP(sport=sp, dport=443)", "forwarded"),
      step("internet", "ip(peer, mute)/UDP(sport=sp, dport=443)", "forwarded"),
    ]);
  } finally {
    await bench.greet();
  }
}
