import { seconds } from "../../../src/base/time.ts";
import { derive } from "../../../src/desired/derive.ts";
import type { GatewayDesired } from "../../../src/desired/desired.ts";
import { applyDevice, planDevice } from "../../../src/drivers/plan-device.ts";
import { linkLocalOf, type Mac } from "../../../src/net/mac.ts";
import { prefix } from "../../../src/net/prefix.ts";
import { bogons } from "../../../src/net/special.ts";
import { bringUp, type LabUnderTest, must } from "../../lab/harness.ts";
import { type Attacker, type BenchWish, type Place, startAttacker } from "./attacker.ts";
import type { PlaceName, PolicyName } from "./table.ts";

/** The lab that the tables are asked of, with somebody who sends and watches on its cables. */
export type Bench = {
  readonly lab: LabUnderTest;
  readonly attacker: Attacker;
  readonly desired: GatewayDesired;
  /** What the words of the tables stand for. */
  readonly names: Readonly<Record<string, string>>;
  /** A number for the next case: no two share one, so that no flow of one is taken for another's. */
  number(): number;
  /** The gateway as the fleet file says, but for its policy; through the production driver. */
  setPolicy(policy: PolicyName): Promise<void>;
  settle(desired: GatewayDesired): Promise<void>;
  /** Lets the gateway find its neighbours. */
  greet(): Promise<void>;
  close(): Promise<void>;
};

/** All that the bench itself lives in. The rest of the documentation prefix is a bogon as it is for anybody else. */
const benchSpace = ["2001:db8:1234::/48", "2001:db8:fffe::/47", "2001:db8:aaaa::/48"].map(prefix);

/** Packets to these get no answer and no error: the tables speak for them. */
const speechless: Readonly<Record<string, readonly string[]>> = {
  vm1: ["2001:db8:1234:321d:22::81/128", "2001:db8:1234:321d:22::dead/128"],
  vm2: ["2001:db8:1234:321d:32::81/128"],
  provider: ["2001:db8:fffe::/48", "2001:db8:aaaa:fffe::/64"],
};

/**
 * Counts by flow label (IPv4: by identification): what came to the gateway before any rule, and behind its filter what
 * crossed and what was let in.
 */
function witness(devices: readonly string[]): string {
  const set = (name: string, key: string): string => `  set ${name} { typeof ${key}; flags dynamic; size 65535; }`;
  const chain = (hook: string, name: string): string => `  chain ${hook} {
    type filter hook ${hook} priority 300; policy accept;
    meta nfproto ipv6 update @${name} { ip6 flowlabel counter }
    meta nfproto ipv4 update @${name}4 { ip id counter }
  }`;
  const ingress = devices.map(
    (device, at) => `  chain at${at} {
    type filter hook ingress device "${device}" priority 0; policy accept;
    meta protocol ip6 update @reached { ip6 flowlabel counter }
  }`,
  );
  return [
    "table inet witness {",
    ...["crossed", "accepted"].flatMap((name) => [set(name, "ip6 flowlabel"), set(`${name}4`, "ip id")]),
    chain("forward", "crossed"),
    chain("input", "accepted"),
    "}",
    "table netdev witness {",
    set("reached", "ip6 flowlabel"),
    ...ingress,
    "}",
    "",
  ].join("\n");
}

/** Brings the lab up, settles its gateway and starts the attacker. Nothing stays when this rejects. */
export async function openBench(name: string): Promise<Bench> {
  const lab = await bringUp({ name, file: "test/conformance/rfc/fleet.yaml", containers: "stand-in" });
  try {
    const desired = desiredOf(lab);
    await settle(lab, desired);
    await quieten(lab);
    const wish = await wishOf(lab);
    const attacker = await startAttacker(wish);
    let last = 0;
    return {
      lab,
      attacker,
      desired,
      names: wish.names,
      number: () => ++last,
      greet: () => greet(lab),
      settle: (wanted) => settle(lab, wanted),
      setPolicy: (policy) => settle(lab, { ...desired, policy: { ...desired.policy, ...policies[policy] } }),
      async close() {
        await attacker.stop();
        await lab.down();
      },
    };
  } catch (cause) {
    await lab.down();
    throw cause;
  }
}

const policies: Readonly<Record<PolicyName, Partial<GatewayDesired["policy"]>>> = {
  "as written": {},
  "open between hosts": { betweenHosts: "open" },
  "closed outwards": { egress: "closed" },
};

function desiredOf(lab: LabUnderTest): GatewayDesired {
  const found = derive(lab.fleet, lab.wish.plan).find((each) => each.layer === "gateway");
  if (found === undefined) throw new Error("The fleet has no gateway");
  return { ...found, bogons: bogons(benchSpace) };
}

async function settle(lab: LabUnderTest, desired: GatewayDesired): Promise<void> {
  const shell = lab.shell(desired.device);
  const { set } = await planDevice(shell, desired);
  await applyDevice(shell, desired, set, seconds(60));
}

/** Labels that the kernel makes up would be taken for a case's; those of a question come back in its answer. */
async function quieten(lab: LabUnderTest): Promise<void> {
  for (const node of lab.nodes.values()) {
    await must(node.shell, ["sysctl", "-qw", "net.ipv6.auto_flowlabels=0", "net.ipv6.flowlabel_reflect=7"]);
  }
  for (const [name, prefixes] of Object.entries(speechless)) {
    const lines = prefixes.map((each) => `route add blackhole ${each}`);
    await must(lab.shell(name), ["ip", "-6", "-batch", "-"], `${lines.join("\n")}\n`);
  }
  // thc-ipv6 takes the first address it is told of for its own, and one with a /128 has no neighbours to it.
  await must(lab.shell("internet"), ["ip", "-6", "addr", "del", "2001:db8:aaaa::2/128", "dev", "eth0"]);
  const gateway = lab.shell("fw");
  const { uplink, hosts } = lab.fleet.gateway;
  await must(gateway, ["nft", "-f", "-"], witness([uplink.device, hosts.device]));
  await greet(lab);
}

/** The gateway knows its neighbours from here on, whatever they were made out to be: no first packet waits for one. */
async function greet(lab: LabUnderTest): Promise<void> {
  for (const { device } of [lab.fleet.gateway.uplink, lab.fleet.gateway.hosts]) {
    await must(lab.shell("fw"), ["ip", "-6", "neigh", "flush", "dev", device]);
  }
  for (const neighbour of ["fe80::1%wan", ...lab.wish.plan.hosts.map((host) => host.address)]) {
    await must(lab.shell("fw"), ["ping", "-6", "-c1", "-W5", neighbour]);
  }
}

async function wishOf(lab: LabUnderTest): Promise<BenchWish> {
  const { fleet, wish } = lab;
  const gateway = lab.node("fw");
  const [uplink, inside] = [fleet.gateway.uplink.mac, fleet.gateway.hosts.mac];
  const listed = await must(lab.shell("provider"), ["ip", "-o", "link", "show", "dev", "down0"]);
  const provider = /link\/ether ([0-9a-f:]+)/.exec(listed)?.[1];
  if (provider === undefined) throw new Error(`No MAC address in ${listed}`);
  const place = (node: string, link: string, mac: string, to: Mac): Place => ({
    pid: lab.node(node).pid,
    link,
    mac,
    gateway: to,
  });
  const hosts = [...fleet.hosts.values()];
  const [one, two] = hosts;
  const [first, second] = wish.plan.hosts;
  if (one === undefined || two === undefined || first === undefined || second === undefined) {
    throw new Error("The bench needs two hosts");
  }
  const places: Record<PlaceName, Place> = {
    internet: place("provider", "down0", provider, uplink),
    vm1: place("vm1", one.public.device, one.public.mac, inside),
    vm2: place("vm2", two.public.device, two.public.mac, inside),
  };
  const containers = Object.fromEntries(
    lab.running.map((each) => [each.name === "plain" ? `${each.name}_${each.host}` : each.name, each.address]),
  );
  return {
    places,
    gateway: gateway.pid,
    names: {
      ...containers,
      nobody: "2001:db8:1234:321d:22::dead",
      host1: first.address,
      host2: second.address,
      gateway: wish.plan.uplink.address,
      gateway1: first.gateway,
      gateway2: second.gateway,
      gateway_link: linkLocalOf(uplink),
      gateway_inside: linkLocalOf(inside),
      link_local: "fe80::1",
      link_local1: linkLocalOf(one.public.mac),
      link_local2: linkLocalOf(two.public.mac),
      mac1: one.public.mac,
      mac2: two.public.mac,
      mac_provider: provider,
      mac_gateway: uplink,
      mac_inside: inside,
      internet: "2001:db8:ffff::2",
      gateway4: "203.0.113.136",
    },
    fences: [
      { from: "internet", send: 'ip(peer, mute)/UDP(sport=sp, dport=443)/Raw(b"fence")' },
      { from: "vm1", send: 'ip(mute, calm)/UDP(sport=sp, dport=443)/Raw(b"fence")' },
      { from: "vm2", send: 'ip(calm, mute)/UDP(sport=sp, dport=443)/Raw(b"fence")' },
      { from: "vm1", send: "ip(mute, gateway1)/echo(n)" },
    ],
  };
}
