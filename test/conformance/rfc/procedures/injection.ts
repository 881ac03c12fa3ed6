import { must, witness } from "../../../lab/harness.ts";
import { askSteps, step } from "../ask.ts";
import type { Bench } from "../bench.ts";
import type { Procedure } from "../procedures.ts";
import type { Step } from "../table.ts";

/** Sends without a word about what comes of it: the state of the machines is looked at afterwards. */
async function send(bench: Bench, from: Step["from"], packets: string, more: Partial<Step> = {}): Promise<void> {
  await askSteps(bench, [[{ ...step(from, packets, "stopped"), ...more }]]);
}

/** Routes and addresses, without the times that run down. */
async function network(bench: Bench, node: string): Promise<string> {
  const shell = bench.lab.shell(node);
  const texts = await Promise.all([
    must(shell, ["ip", "-6", "-o", "addr"]),
    must(shell, ["ip", "-6", "route", "show", "table", "all"]),
  ]);
  return texts.join("").replaceAll(/\b(valid_lft|preferred_lft|expires) \S+/g, "");
}

export const advertisements: Procedure = {
  says: "routes and addresses of gateway and hosts, before and after twelve advertisements",
  async run(bench) {
    const nodes = ["fw", "vm1", "vm2"];
    const before = await Promise.all(nodes.map((node) => network(bench, node)));
    const prefix = "ICMPv6NDOptPrefixInfo(prefix='2001:db8:fffe:7::', prefixlen=64, A=1, L=1)";
    const advertisement = `ICMPv6ND_RA(routerlifetime=1800, prf=1)/${prefix}`;
    for (const from of ["vm1", "vm2", "internet"] as const) {
      const source = from === "internet" ? "link_local" : `link_local${from.slice(2)}`;
      await send(bench, from, `[ip(${source}, 'ff02::1', hlim=255)/${advertisement} for _ in range(4)]`);
    }
    const after = await Promise.all(nodes.map((node) => network(bench, node)));
    const moved = nodes.filter((_, at) => before[at] !== after[at]);
    return moved.length === 0 ? undefined : `routes or addresses changed: ${moved.join(", ")}`;
  },
};

export const redirects: Procedure = {
  says: "redirects that a host hears while it sends to another through the gateway",
  async run(bench) {
    const heard = await witness(bench.lab.shell("vm1"), "redirect", "icmpv6 type nd-redirect");
    try {
      await send(bench, "vm1", "[ip(host1, calm)/UDP(sport=sp, dport=443) for _ in range(20)]");
      const count = await heard();
      return count === 0 ? undefined : `${count} redirects`;
    } finally {
      await must(bench.lab.shell("vm1"), ["nft", "delete", "table", "inet", "witness_redirect"]);
    }
  },
};

export const forgedNeighbours: Procedure = {
  says: "the gateway's neighbour entry of the other host, known and unknown before",
  async run(bench) {
    const [, second] = bench.desired.hosts;
    if (second === undefined) throw new Error("The bench has no second host");
    const { inside } = bench.desired;
    const entry = async (): Promise<string> =>
      must(bench.lab.shell("fw"), ["ip", "-6", "neigh", "show", second.address, "dev", inside]);
    const forged = [
      "ip(link_local1, gateway_inside, hlim=255)/ICMPv6ND_NA(R=0, S=1, O=1, tgt=host2)/ICMPv6NDOptDstLLAddr(lladdr=mac1)",
      "ip(link_local1, 'ff02::1', hlim=255)/ICMPv6ND_NA(R=0, S=0, O=1, tgt=host2)/ICMPv6NDOptDstLLAddr(lladdr=mac1)",
      "ip(host2, gateway2, hlim=255)/ICMPv6ND_NS(tgt=gateway2)/ICMPv6NDOptSrcLLAddr(lladdr=mac1)",
    ];
    try {
      for (const known of [true, false]) {
        for (const packet of forged) {
          if (known) await bench.greet();
          else await must(bench.lab.shell("fw"), ["ip", "-6", "neigh", "flush", "dev", inside]);
          await send(bench, "vm1", packet);
          const found = await entry();
          if (/lladdr/.test(found) && !found.includes(second.mac)) return `after ${packet}: ${found.trim()}`;
        }
      }
      return undefined;
    } finally {
      await must(bench.lab.shell("fw"), ["ip", "-6", "neigh", "flush", "dev", inside]);
      await bench.greet();
    }
  },
};
