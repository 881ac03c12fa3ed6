import { describe, expect, test } from "vitest";
import {
  echo4,
  echo6,
  enginesAtHand,
  noEngines,
  oneHost,
  type Reached,
  uplink,
  vmAddress,
  vmAddress4,
} from "./one-host.ts";

/**
 * Who lets a routed packet through, by engine version and setting: what every profile of the docker driver stands on.
 * The network outside filters nothing. A container listens on 8080 and 9090; `publish` is its -p. Empty cells were
 * never told.
 */
type Row = {
  readonly id: string;
  readonly engine: "20.10" | "26.1" | "28.5";
  readonly daemon: Readonly<Record<string, unknown>>;
  /** Options of `docker network create`; the default bridge when absent. */
  readonly network?: readonly string[];
  readonly publish?: boolean;
  /** A rule of ip6tables that is in DOCKER-USER. */
  readonly user?: boolean;
  readonly pub: Reached;
  readonly unp: Reached;
  readonly ping: "ok" | "no";
  readonly vm: Reached;
  /** What the peer sees of a connection from the container; `none` when no answer comes back through Docker's rules. */
  readonly src6: Source;
  readonly src4?: Source;
};

type Source = "container" | "vm" | "none";

const bridge = { ipv6: true, "fixed-cidr-v6": "2001:db8:1:2:21::/80" };
const filtered = { ...bridge, experimental: true, ip6tables: true };
const mode = (value: string): string => `com.docker.network.bridge.gateway_mode_ipv6=${value}`;
const routedByDefault = {
  "default-network-opts": { bridge: { "com.docker.network.bridge.gateway_mode_ipv6": "routed" } },
};
const unprotectedByDefault = {
  "default-network-opts": { bridge: { "com.docker.network.bridge.gateway_mode_ipv6": "nat-unprotected" } },
};
const trusted = ["-o", `com.docker.network.bridge.trusted_host_interfaces=${uplink}`];
const noMasquerade = ["-o", "com.docker.network.bridge.enable_ip_masquerade=false"];
const open = { pub: "OPEN", unp: "OPEN", ping: "ok" } as const;
const half = { pub: "OPEN", unp: "drop", ping: "no" } as const;
const shut = { pub: "drop", unp: "drop", ping: "no" } as const;

// A2 and C11 are profile gateway-only, B1 and C4 two-gates, C6 routed.
const rows: readonly Row[] = [
  {
    id: "E1 the default bridge is open",
    engine: "20.10",
    daemon: bridge,
    ...open,
    vm: "refused",
    src6: "container",
    src4: "vm",
  },
  {
    id: "E1p published too",
    engine: "20.10",
    daemon: bridge,
    publish: true,
    ...open,
    vm: "OPEN",
    src6: "container",
    src4: "vm",
  },
  {
    id: "E2 ip6tables closes and masquerades",
    engine: "20.10",
    daemon: filtered,
    publish: true,
    ...half,
    vm: "OPEN",
    src6: "vm",
    src4: "vm",
  },
  {
    id: "D1 the default bridge is open",
    engine: "26.1",
    daemon: bridge,
    ...open,
    vm: "refused",
    src6: "container",
    src4: "vm",
  },
  {
    id: "D2 ip6tables closes and masquerades",
    engine: "26.1",
    daemon: filtered,
    publish: true,
    ...half,
    vm: "OPEN",
    src6: "vm",
    src4: "vm",
  },
  {
    id: "D3 routed is taken and ignored",
    engine: "26.1",
    daemon: {},
    network: ["-o", mode("routed")],
    publish: true,
    ...open,
    vm: "OPEN",
    src6: "container",
    src4: "vm",
  },
  {
    id: "A1 the article's daemon.json is dead",
    engine: "28.5",
    daemon: bridge,
    ...shut,
    vm: "refused",
    src6: "vm",
    src4: "vm",
  },
  {
    id: "A1p published too",
    engine: "28.5",
    daemon: bridge,
    publish: true,
    ...shut,
    vm: "OPEN",
    src6: "vm",
    src4: "vm",
  },
  {
    id: "A2 ip6tables false opens it again",
    engine: "28.5",
    daemon: { ...bridge, ip6tables: false },
    ...open,
    vm: "refused",
    src6: "container",
    src4: "vm",
  },
  {
    id: "C11 published too",
    engine: "28.5",
    daemon: { ...bridge, ip6tables: false },
    publish: true,
    ...open,
    vm: "OPEN",
    src6: "container",
    src4: "vm",
  },
  {
    id: "A3 iptables false alone does not",
    engine: "28.5",
    daemon: { ...bridge, iptables: false },
    ...shut,
    vm: "refused",
    src6: "none",
  },
  {
    id: "A4 allow-direct-routing",
    engine: "28.5",
    daemon: { ...bridge, "allow-direct-routing": true },
    publish: true,
    ...half,
    vm: "OPEN",
    src6: "vm",
    src4: "vm",
  },
  {
    id: "C10 allow-direct-routing without ip-masq",
    engine: "28.5",
    daemon: { ...bridge, "allow-direct-routing": true, "ip-masq": false },
    publish: true,
    ...half,
    vm: "OPEN",
    src6: "container",
    src4: "container",
  },
  {
    id: "A5 default-network-opts do not reach the default bridge",
    engine: "28.5",
    daemon: { ...bridge, ...routedByDefault },
    publish: true,
    ...shut,
    vm: "OPEN",
    src6: "vm",
    src4: "vm",
  },
  {
    id: "A6 nor does nat-unprotected",
    engine: "28.5",
    daemon: { ...bridge, ...unprotectedByDefault },
    publish: true,
    ...shut,
    vm: "OPEN",
    src6: "vm",
    src4: "vm",
  },
  {
    id: "C9 allow-direct-routing and DOCKER-USER",
    engine: "28.5",
    daemon: { ...bridge, "allow-direct-routing": true },
    user: true,
    ...open,
    vm: "refused",
    src6: "vm",
    src4: "vm",
  },
  {
    id: "C8 DOCKER-USER comes after the raw drop",
    engine: "28.5",
    daemon: bridge,
    user: true,
    publish: true,
    ...shut,
    vm: "OPEN",
    src6: "vm",
    src4: "vm",
  },
  {
    id: "B1 routed lets published ports in",
    engine: "28.5",
    daemon: {},
    network: ["-o", mode("routed")],
    publish: true,
    pub: "OPEN",
    unp: "drop",
    ping: "ok",
    vm: "refused",
    src6: "container",
    src4: "vm",
  },
  {
    id: "B3 routed without -p",
    engine: "28.5",
    daemon: {},
    network: ["-o", mode("routed")],
    pub: "drop",
    unp: "drop",
    ping: "ok",
    vm: "refused",
    src6: "container",
    src4: "vm",
  },
  {
    id: "C6 routed and DOCKER-USER",
    engine: "28.5",
    daemon: {},
    network: ["-o", mode("routed")],
    user: true,
    ...open,
    vm: "refused",
    src6: "container",
    src4: "vm",
  },
  {
    id: "C4 routed by default-network-opts",
    engine: "28.5",
    daemon: routedByDefault,
    network: [],
    publish: true,
    pub: "OPEN",
    unp: "drop",
    ping: "ok",
    vm: "refused",
    src6: "container",
    src4: "vm",
  },
  {
    id: "B4 nat-unprotected",
    engine: "28.5",
    daemon: {},
    network: ["-o", mode("nat-unprotected")],
    ...open,
    vm: "refused",
    src6: "vm",
  },
  {
    id: "B7 nat-unprotected without masquerading",
    engine: "28.5",
    daemon: {},
    network: ["-o", mode("nat-unprotected"), ...noMasquerade],
    ...open,
    vm: "refused",
    src6: "container",
  },
  {
    id: "B5 nat with a trusted interface",
    engine: "28.5",
    daemon: {},
    network: ["-o", mode("nat"), ...trusted],
    publish: true,
    ...half,
    vm: "OPEN",
    src6: "vm",
  },
  {
    id: "B6 and without masquerading",
    engine: "28.5",
    daemon: {},
    network: ["-o", mode("nat"), ...trusted, ...noMasquerade],
    publish: true,
    ...half,
    vm: "OPEN",
    src6: "container",
  },
  {
    id: "B8 nat without masquerading",
    engine: "28.5",
    daemon: {},
    network: ["-o", mode("nat"), ...noMasquerade],
    publish: true,
    ...shut,
    vm: "OPEN",
    src6: "none",
  },
];

const engines = await enginesAtHand();

async function measure(row: Row): Promise<Omit<Row, "id" | "engine" | "daemon">> {
  const engine = engines.get(row.engine);
  if (engine === undefined) throw new Error("no engine");
  const host = await oneHost(engine, row.daemon);
  try {
    if (row.user === true) {
      const ran = await host.vm.shell.run(["ip6tables", "-w", "-I", "DOCKER-USER", "-i", uplink, "-j", "ACCEPT"]);
      expect(ran).toMatchObject({ code: 0 });
    }
    if (row.network !== undefined) {
      const made = await host.docker(
        "network",
        "create",
        "--ipv6",
        "--subnet",
        "2001:db8:1:2:22::/80",
        ...row.network,
        "net",
      );
      expect(made).toMatchObject({ code: 0 });
    }
    const publish = row.publish === true ? ["-p", "8080:8080"] : [];
    const container = await host.container(
      "ctr",
      [...publish, ...(row.network === undefined ? [] : ["--network", "net"])],
      [8080, 9090],
    );
    const [pub, unp, ping, vm, from6, from4] = await Promise.all([
      host.reach(`http://[${container.address}]:8080/`),
      host.reach(`http://[${container.address}]:9090/`),
      host.ping(container.address),
      host.reach(`http://[${vmAddress}]:8080/`),
      host.seen(container, echo6),
      host.seen(container, echo4),
    ]);
    const name = (seen: string): Source => {
      if (seen === container.address || seen === container.address4) return "container";
      if (seen === vmAddress || seen === vmAddress4) return "vm";
      if (seen === "nothing") return "none";
      throw new Error(`The peer saw ${seen}`);
    };
    return { pub, unp, ping, vm, src6: name(from6), ...(row.src4 === undefined ? {} : { src4: name(from4) }) };
  } finally {
    await host.end();
  }
}

describe.each(["20.10", "26.1", "28.5"] as const)("engine %s", (version) => {
  const own = rows.filter((row) => row.engine === version);
  test.for(own)("$id", async (row, { skip }) => {
    if (!engines.has(version)) return skip(reason(version));
    const {
      id: _id,
      engine: _engine,
      daemon: _daemon,
      network: _network,
      publish: _publish,
      user: _user,
      ...expected
    } = row;
    expect(await measure(row)).toEqual(expected);
  });
});

test("engine 28.5 refuses firewall-backend, which came with 29", async ({ skip }) => {
  const engine = engines.get("28.5");
  if (engine === undefined) return skip(reason("28.5"));
  await expect(oneHost(engine, { ...bridge, "firewall-backend": "nftables" })).rejects.toThrow(/firewall-backend/);
});

function reason(version: string): string {
  return noEngines() ?? `no engine ${version} here: SIXGATE_ENGINES=${version} builds one (one to two minutes, 400 MB)`;
}
