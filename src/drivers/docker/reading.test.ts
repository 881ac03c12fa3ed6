import { expect, test } from "vitest";
import { Failure } from "../../base/failure.ts";
import type { DeviceName, NetworkName } from "../../base/name.ts";
import type { EngineDesired } from "../../desired/desired.ts";
import { address } from "../../net/address.ts";
import { prefix } from "../../net/prefix.ts";
import type { Ran, Shell } from "../../runtime/shell.ts";
import { docker } from "./driver.ts";

const desired: EngineDesired = {
  layer: "engine",
  device: "vm1" as DeviceName,
  driver: "docker",
  engine: { major: 28, minor: 5 },
  profile: "gateway-only",
  block: prefix("2001:db8:1:2:20::/76"),
  uplink: "ens20",
  networks: [
    {
      name: "default" as NetworkName,
      prefix: prefix("2001:db8:1:2:21::/80"),
      gateway: address("2001:db8:1:2:21::1"),
      internal: false,
    },
    {
      name: "web" as NetworkName,
      prefix: prefix("2001:db8:1:2:22::/80"),
      gateway: address("2001:db8:1:2:22::1"),
      internal: false,
    },
  ],
};

function network(name: string, subnet: string, more: object = {}): object {
  const config = [{ Subnet: "172.20.0.0/16" }, { Subnet: subnet, Gateway: subnet.replace(/\/.*/, "1") }];
  return {
    Id: `id-${name}`,
    Name: name,
    Driver: "bridge",
    Internal: false,
    EnableIPv6: true,
    IPAM: { Config: config },
    Options: null,
    Labels: {},
    ...more,
  };
}

const bridge = network("bridge", "2001:db8:1:2:21::/80");
const web = network("web", "2001:db8:1:2:22::/80", {
  Options: { "com.docker.network.bridge.name": "sg-web" },
  Labels: { "sixgate.owner": "vm1" },
});

type World = {
  readonly files?: Readonly<Record<string, string>>;
  readonly networks?: readonly object[];
  readonly answers?: Readonly<Record<string, Partial<Ran>>>;
};

/** A host whose docker and ip6tables say what the test wants. */
function shellOf(world: World): Shell {
  const done = (ran: Partial<Ran>): Ran => ({ code: 0, stdout: "", stderr: "", ...ran });
  return {
    name: "test",
    run: async (argv) => {
      const line = argv.join(" ");
      for (const [start, answer] of Object.entries(world.answers ?? {})) if (line.includes(start)) return done(answer);
      if (line.includes(" version ")) return done({ stdout: '{"Version":"28.5.2"}' });
      if (line.includes("network ls")) return done({ stdout: "id-bridge\n" });
      if (line.includes("network inspect")) return done({ stdout: JSON.stringify(world.networks ?? [bridge, web]) });
      if (line === "ip6tables -w -S") return done({ stdout: "-P FORWARD ACCEPT\n" });
      throw new Failure("E502", "test", line, "");
    },
    read: async (path) => world.files?.[path],
    list: async () => [],
    write: async () => undefined,
    remove: async () => undefined,
  };
}

const observe = (world: World, state = desired) => docker.at(shellOf(world), state).observe();

test("observe gives exactly what normalize does when the host is as wanted", async () => {
  const files = Object.fromEntries(docker.render(desired).map((file) => [file.path, file.text]));
  expect((await observe({ files })).items).toEqual(docker.normalize(desired));
});

test.each([
  ["the engine does not answer", { " version ": { code: 1, stderr: "Cannot connect to the Docker daemon" } }, "E503"],
  ["docker is missing", { " version ": { code: 127 } }, "E502"],
  ["the version is no JSON", { " version ": { stdout: "<html>" } }, "E543"],
  ["an answer lacks a field", { "network inspect": { stdout: '[{"Id":"x"}]' } }, "E543"],
  ["a network goes while they are read", { "network inspect": { code: 1, stderr: "No such network" } }, "E503"],
  ["networks are none at all", { "network ls": { stdout: "" } }, "E543"],
  ["ip6tables can't read", { "ip6tables -w -S": { code: 4, stderr: "Permission denied" } }, "E503"],
  ["another engine runs", { " version ": { stdout: '{"Version":"29.1.0"}' } }, "E548"],
])("observe rejects when %s: unknown is never empty", async (_, answers, code) => {
  const failure: unknown = await observe({ answers }).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(Failure);
  expect(failure instanceof Failure && failure.diagnostic.code).toBe(code);
});

test("observe reads a host without ip6tables: no program, no rules of it", async () => {
  const { items } = await observe({ answers: { "ip6tables -w -S": { code: 127 } } });
  expect(items.find((item) => item.key === "engine")?.value).toEqual({
    bridge: "2001:db8:1:2:21::/80",
    filters: false,
  });
});

test("observe sees that Docker's filter is still in the kernel", async () => {
  const { items } = await observe({
    answers: { "ip6tables -w -S": { stdout: "-P FORWARD ACCEPT\n-A FORWARD -j DOCKER-FORWARD\n" } },
  });
  expect(items.find((item) => item.key === "engine")?.value).toMatchObject({ filters: true });
});

test.each([
  ["a stranger's network on the link", [bridge, network("x", "2001:db8:1:2:20::/80")], "E542"],
  ["a stranger's network on one of ours", [bridge, network("x", "2001:db8:1:2:22:8000::/84")], "E542"],
  ["a stranger's network around the block", [bridge, network("x", "2001:db8:1:2::/64")], "E542"],
  ["a network of that name that is not ours", [bridge, network("web", "fd00::/64")], "E545"],
  ["a network of another host", [bridge, { ...web, Labels: { "sixgate.owner": "vm2" } }], "E545"],
])("observe rejects %s", async (_, networks, code) => {
  await expect(observe({ networks })).rejects.toThrow(code);
});

test("observe lets other people's networks be where they are in nobody's way", async () => {
  const { items } = await observe({
    networks: [bridge, web, network("pool", "2001:db8:1:2:2f::/96"), network("ula", "fd00::/64")],
  });
  expect(items.filter((item) => item.key.startsWith("network "))).toHaveLength(1);
});

test.each([
  [desired, { icc: false }],
  [desired, { bridge: "br0" }],
  [{ ...desired, profile: "routed" } as const, { iptables: false }],
])("observe rejects a daemon.json whose foreign keys undo the profile", async (state, file) => {
  await expect(observe({ files: { "/etc/docker/daemon.json": JSON.stringify(file) } }, state)).rejects.toThrow("E546");
});

test("apply rejects with E510 when the engine moved since the plan", async () => {
  const set = { device: desired.device, layer: "engine", driver: "docker", base: "other", changes: [] } as const;
  await expect(docker.at(shellOf({}), desired).apply(set, 60 as never)).rejects.toThrow("E510");
});
