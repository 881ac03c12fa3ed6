import { describe, expect, test } from "vitest";
import type { DeviceName, NetworkName } from "../../base/name.ts";
import type { EngineDesired } from "../../desired/desired.ts";
import { address } from "../../net/address.ts";
import { prefix } from "../../net/prefix.ts";
import { consequences, normalize, render, wantedKeys } from "./convert.ts";
import { daemonPath, mergeDaemonFile, ownKeysOf, parseDaemonFile, printDaemonFile, stockPools } from "./daemon-file.ts";
import { doorLines } from "./door.ts";
import { audit } from "./limits.ts";
import { bridgeName, createArguments, shapeOf } from "./network.ts";
import { poolOf } from "./profile.ts";

function desired(
  major: number,
  profile: EngineDesired["profile"],
  names: Readonly<Record<string, string>> = { default: "21", web: "22" },
): EngineDesired {
  return {
    layer: "engine",
    device: "vm1" as DeviceName,
    driver: "docker",
    engine: { major, minor: 0 },
    profile,
    block: prefix("2001:db8:1:2:20::/76"),
    uplink: "ens20",
    networks: Object.entries(names).map(([name, group]) => ({
      name: name as NetworkName,
      prefix: prefix(`2001:db8:1:2:${group}::/80`),
      gateway: address(`2001:db8:1:2:${group}::1`),
      internal: name === "internal",
    })),
  };
}

const { block } = desired(28, "routed");

test("wantedKeys turns ip6tables off from 27 on, where it is on by default, and leaves it out before", () => {
  expect([20, 26, 27, 28, 29].map((major) => wantedKeys(desired(major, "gateway-only")).get("ip6tables"))).toEqual([
    undefined,
    undefined,
    false,
    false,
    false,
  ]);
});

test("wantedKeys of a routed profile gives the default bridge no IPv6, which would be masqueraded", () => {
  for (const profile of ["routed", "two-gates"] as const)
    expect(wantedKeys(desired(28, profile)).has("ipv6")).toBe(false);
});

test("wantedKeys opens by mark from 29 on, for profile routed alone", () => {
  expect(wantedKeys(desired(29, "routed")).get("bridge-accept-fwmark")).toBe("0x60/0x60");
  expect(wantedKeys(desired(28, "routed")).has("bridge-accept-fwmark")).toBe(false);
  expect(wantedKeys(desired(29, "two-gates")).has("bridge-accept-fwmark")).toBe(false);
});

describe("poolOf", () => {
  test("takes the last free prefix, never the link, the default bridge or a network of the plan", () => {
    expect(poolOf(desired(28, "routed"))).toEqual({ base: "2001:db8:1:2:2f::/80", size: 96 });
    expect(poolOf(desired(28, "routed", { default: "21", last: "2f" }))).toEqual({
      base: "2001:db8:1:2:2e::/80",
      size: 96,
    });
    const full = Object.fromEntries(
      Array.from({ length: 15 }, (_, n) => [n === 0 ? "default" : `n${n}`, (0x21 + n).toString(16)]),
    );
    expect(poolOf(desired(28, "routed", full))).toBeUndefined();
  });
});

describe("doorLines", () => {
  test("leave internal networks shut and name prefix, uplink and bridge of the others", () => {
    expect(doorLines(desired(28, "routed", { default: "21", web: "22", internal: "23" }))).toEqual([
      "DOCKER-USER -d 2001:db8:1:2:22::/80 -i ens20 -o sg-web -m comment --comment sixgate -j ACCEPT",
      "DOCKER-USER -d 2001:db8:1:2:2f::/80 -i ens20 -o br-+ -m comment --comment sixgate -j ACCEPT",
    ]);
  });
  test("are none where the host is not to be opened, or Docker filters nothing", () => {
    expect(doorLines(desired(28, "two-gates"))).toEqual([]);
    expect(doorLines(desired(28, "gateway-only"))).toEqual([]);
  });
});

describe("mergeDaemonFile", () => {
  const wanted = wantedKeys(desired(28, "routed"));

  test("keeps foreign keys, their order and the foreign half of shared keys", () => {
    const before = parseDaemonFile(
      "x",
      '{"log-driver":"journald","default-network-opts":{"bridge":{"com.docker.network.driver.mtu":"1400"},"macvlan":{"a":"b"}},"debug":true}',
    );
    const after = mergeDaemonFile(before, wanted, block);
    expect(Object.keys(after)).toEqual(["log-driver", "default-network-opts", "debug", "default-address-pools"]);
    expect(after["default-network-opts"]).toMatchObject({
      bridge: { "com.docker.network.driver.mtu": "1400" },
      macvlan: { a: "b" },
    });
    expect(ownKeysOf(after, block)).toEqual(wanted);
    expect(mergeDaemonFile(after, new Map(), block)).toEqual(before);
  });

  test("adds our pool to foreign ones, and Docker's own where there were none", () => {
    const own = { base: "2001:db8:1:2:2f::/80", size: 96 };
    const foreign = { base: "10.200.0.0/16", size: 24 };
    expect(mergeDaemonFile({ "default-address-pools": [foreign] }, wanted, block)["default-address-pools"]).toEqual([
      foreign,
      own,
    ]);
    expect(mergeDaemonFile({}, wanted, block)["default-address-pools"]).toEqual([...stockPools, own]);
    expect(printDaemonFile(mergeDaemonFile(mergeDaemonFile({}, wanted, block), new Map(), block))).toBeUndefined();
  });

  test("takes a key away that is ours and not wanted", () => {
    expect(mergeDaemonFile({ ip6tables: true, debug: true }, wantedKeys(desired(26, "gateway-only")), block)).toEqual({
      debug: true,
      ipv6: true,
      "fixed-cidr-v6": "2001:db8:1:2:21::/80",
    });
  });

  test("leaves what it does not own as it was found, even where it is odd", () => {
    const odd = { "default-address-pools": "none", "default-network-opts": { bridge: [] }, __proto__x: 1 };
    expect(mergeDaemonFile(odd, wantedKeys(desired(20, "gateway-only")), block)).toMatchObject(odd);
  });
});

test.each(["{", "[]", "7", '"x"', "null"])("parseDaemonFile refuses %s and says so", (text) => {
  expect(() => parseDaemonFile("vm1 docker", text)).toThrow(/vm1 docker: E540 \/etc\/docker\/daemon.json/);
});

test("parseDaemonFile takes an absent and an empty file for an empty object, as dockerd does", () => {
  expect([parseDaemonFile("x", undefined), parseDaemonFile("x", " \n")]).toEqual([{}, {}]);
});

describe("bridgeName", () => {
  test("fits an interface name, tells long names apart and never changes", () => {
    expect([bridgeName("web"), bridgeName("twelve-chars"), bridgeName("thirteen-char")]).toEqual([
      "sg-web",
      "sg-twelve-chars",
      "sg-thirtee-d47f",
    ]);
    expect(bridgeName("observability-one")).not.toBe(bridgeName("observability-two"));
    expect(bridgeName("a".repeat(32)).length).toBe(15);
  });
});

test("createArguments end options before the name, and mark the network as ours", () => {
  const web = desired(28, "routed").networks[1];
  if (web === undefined) throw new Error("no network");
  const words = createArguments("web", shapeOf(desired(28, "routed"), web));
  expect(words.slice(-2)).toEqual(["--", "web"]);
  expect(words).toContain("sixgate.owner=vm1");
});

describe("normalize", () => {
  test("is sorted by key and says every key once", () => {
    const keys = normalize(desired(28, "routed", { default: "21", web: "22", internal: "23" })).map((item) => item.key);
    expect(keys).toEqual([...new Set(keys)].sort());
    expect(keys).toContain("network internal");
    expect(keys).not.toContain("network default");
  });
  test("has an item for every rendered file but daemon.json, whose keys are items", () => {
    const state = desired(29, "routed");
    const paths = render(state).map((file) => file.path);
    const files = normalize(state).filter((item) => item.key.startsWith("file "));
    expect(files.map((item) => item.key.slice(5)).sort()).toEqual(paths.filter((path) => path !== daemonPath).sort());
  });
});

test("consequences tells of a restart when daemon.json moves, and of nothing for a network", () => {
  const set = (key: string) =>
    ({
      device: "vm1" as DeviceName,
      layer: "engine",
      driver: "docker",
      base: "",
      changes: [{ kind: "create", after: { key, value: true, lane: "structure" } }],
    }) as const;
  expect(consequences(set("daemon ipv6"))).toHaveLength(1);
  expect(consequences(set("network web"))).toEqual([]);
});

describe("audit", () => {
  const codes = (state: EngineDesired): readonly string[] => audit(state).map((each) => each.code);
  test("refuses a routed profile where the engine would ignore it", () => {
    expect(codes(desired(26, "routed"))).toContain("E440");
    expect(codes(desired(27, "two-gates"))).not.toContain("E440");
    expect(codes(desired(19, "gateway-only"))).toEqual(["E440"]);
  });
  test("refuses names that give one bridge, and prefixes outside the block", () => {
    const other = { ...desired(28, "gateway-only"), block: prefix("2001:db8:1:2:30::/76") };
    expect(codes(other)).toEqual(["E442", "E442"]);
    // Found by trying: both are cut to sg-collide-7c38.
    const names = { default: "21", "collide-network-359": "22", "collide-network-1066": "23" };
    expect(codes(desired(28, "gateway-only", names))).toEqual(["E441"]);
  });
  test("refuses a default bridge too small for addresses made of the MAC, up to 27", () => {
    const small = (major: number): EngineDesired => ({
      ...desired(major, "gateway-only"),
      networks: [
        {
          name: "default" as NetworkName,
          prefix: prefix("2001:db8:1:2:21::/96"),
          gateway: address("2001:db8:1:2:21::1"),
          internal: false,
        },
      ],
    });
    expect(codes(small(27))).toEqual(["E443"]);
    expect(codes(small(28))).toEqual([]);
  });
  test("warns of an internal network that Docker does not close, and of a default bridge left behind", () => {
    expect(codes(desired(26, "gateway-only", { default: "21", internal: "22" }))).toEqual(["W440"]);
    expect(codes(desired(28, "routed"))).toEqual(["W441"]);
  });
});
