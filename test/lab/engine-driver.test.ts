import { describe, expect, test } from "vitest";
import { type DeviceName, type NetworkName } from "../../src/base/name.ts";
import { seconds } from "../../src/base/time.ts";
import type { Change } from "../../src/change/change-set.ts";
import { diff } from "../../src/change/diff.ts";
import type { EngineDesired } from "../../src/desired/desired.ts";
import { docker } from "../../src/drivers/docker/driver.ts";
import type { Pending } from "../../src/drivers/driver.ts";
import { cacheFolder } from "../../src/lab/cache.ts";
import { stopEngine, unpackedEngine } from "../../src/lab/engine.ts";
import { address } from "../../src/net/address.ts";
import { prefix } from "../../src/net/prefix.ts";
import { block, enginesAtHand, noEngines, type OneHost, oneHost, say, uplink } from "./one-host.ts";

const engines = await enginesAtHand();
const versions = ["20.10", "26.1", "28.5"] as const;

function reason(version: string): string {
  return noEngines() ?? `no engine ${version} here: SIXGATE_ENGINES=${version} builds one`;
}

function desiredFor(
  version: string,
  profile: EngineDesired["profile"],
  networks: Readonly<Record<string, string>>,
): EngineDesired {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return {
    layer: "engine",
    device: "vm1" as DeviceName,
    driver: "docker",
    engine: { major, minor },
    profile,
    block: prefix(block),
    uplink,
    networks: Object.entries(networks).map(([name, group]) => ({
      name: name as NetworkName,
      prefix: prefix(`2001:db8:1:2:${group}::/80`),
      gateway: address(`2001:db8:1:2:${group}::1`),
      internal: false,
    })),
  };
}

async function changesFor(host: OneHost, desired: EngineDesired): Promise<readonly Change[]> {
  return diff((await docker.at(host.vm.shell, desired).observe()).items, docker.normalize(desired));
}

async function applyTo(host: OneHost, desired: EngineDesired): Promise<Pending> {
  const driver = docker.at(host.vm.shell, desired);
  const { items, revision } = await driver.observe();
  const changes = diff(items, docker.normalize(desired));
  const set = { device: desired.device, layer: "engine", driver: "docker", base: revision, changes } as const;
  return driver.apply(set, seconds(120));
}

async function onHost(
  version: string,
  daemon: Readonly<Record<string, unknown>>,
  body: (host: OneHost) => Promise<void>,
): Promise<void> {
  const engine = engines.get(version);
  if (engine === undefined) throw new Error(reason(version));
  const host = await oneHost(engine, daemon);
  try {
    await body(host);
  } finally {
    await host.end();
  }
}

describe.each(versions)("docker driver, engine %s", (version) => {
  const plain = { default: "21", web: "22" };

  test("apply gateway-only opens both bridges to routed packets, and the second plan is empty", async ({ skip }) => {
    if (!engines.has(version)) return skip(reason(version));
    // An engine that already ran as its package has it: 27 and later have left rules in the kernel then.
    await onHost(
      version,
      { ipv6: true, "fixed-cidr-v6": "2001:db8:1:2:2e::/80", "log-level": "warn" },
      async (host) => {
        const desired = desiredFor(version, "gateway-only", plain);
        await (await applyTo(host, desired)).confirm();
        expect(await changesFor(host, desired)).toEqual([]);
        expect(JSON.parse((await host.vm.shell.read("/etc/docker/daemon.json")) ?? "")).toMatchObject({
          "log-level": "warn",
        });
        const onDefault = await host.container("one", [], [80]);
        const onWeb = await host.container("two", ["--network", "web"], [80]);
        expect(await host.reach(`http://[${onDefault.address}]/`)).toBe("OPEN");
        expect(await host.reach(`http://[${onWeb.address}]/`)).toBe("OPEN");
        expect(onDefault.address.startsWith("2001:db8:1:2:21:")).toBe(true);
      },
    );
  });

  test("apply refuses to touch a network in use, and rollback puts everything back", async ({ skip }) => {
    if (!engines.has(version)) return skip(reason(version));
    await onHost(version, {}, async (host) => {
      const desired = desiredFor(version, "gateway-only", plain);
      await (await applyTo(host, desired)).confirm();
      await host.container("user", ["--network", "web"], [80]);
      await expect(applyTo(host, desiredFor(version, "gateway-only", { default: "21", web: "23" }))).rejects.toThrow(
        /E541.*"web" is used by user/,
      );
      expect(await changesFor(host, desired)).toEqual([]);
      const pending = await applyTo(host, desiredFor(version, "gateway-only", { ...plain, default: "2d", more: "24" }));
      await pending.rollback();
      expect(await changesFor(host, desired)).toEqual([]);
      // It has no restart policy, and ran before.
      expect((await host.docker("ps", "--format", "{{.Names}}")).stdout).toBe("user\n");
    });
  });

  test("observe shows a daemon.json that the engine has not read, and refuses what it can't trust", async ({
    skip,
  }) => {
    if (!engines.has(version)) return skip(reason(version));
    await onHost(version, {}, async (host) => {
      const desired = desiredFor(version, "gateway-only", plain);
      const { shell } = host.vm;
      await shell.write("/etc/docker/daemon.json", docker.render(desired)[0]?.text ?? "");
      expect(
        (await changesFor(host, desired)).map((change) => change.kind === "update" && change.before.key),
      ).toContain("engine");
      await host.docker("network", "create", "--ipv6", "--subnet", "2001:db8:1:2:20::/80", "stranger");
      await expect(changesFor(host, desired)).rejects.toThrow(/E542.*"stranger".*the host's link/);
      await host.docker("network", "rm", "stranger");
      await shell.write("/etc/docker/daemon.json", "{");
      await expect(changesFor(host, desired)).rejects.toThrow(/E540/);
      await shell.write("/etc/docker/daemon.json", "{}");
      await expect(changesFor(host, { ...desired, engine: { major: 19, minor: 3 } })).rejects.toThrow(/E548/);
      expect(await stopEngine(host.vm)).toBe(true);
      await expect(changesFor(host, desired)).rejects.toThrow(/E503/);
    });
  });
});

test("docker driver, engine 28.5: apply routed opens user networks to the uplink alone, two-gates only what is published", async ({
  skip,
}) => {
  if (!engines.has("28.5")) return skip(reason("28.5"));
  await onHost("28.5", {}, async (host) => {
    const routed = desiredFor("28.5", "routed", { default: "21", web: "22" });
    await (await applyTo(host, routed)).confirm();
    expect(await changesFor(host, routed)).toEqual([]);
    expect(await host.docker("network", "create", "compose")).toMatchObject({ code: 0 });
    const named = await host.container("one", ["--network", "web", "-p", "[::]::80"], [80, 81]);
    const pooled = await host.container("two", ["--network", "compose"], [80]);
    expect(pooled.address.startsWith("2001:db8:1:2:2f:")).toBe(true);
    expect(await host.reach(`http://[${named.address}]:81/`)).toBe("OPEN");
    expect(await host.reach(`http://[${pooled.address}]/`)).toBe("OPEN");
    // The other bridge is not the uplink.
    const ran = await host.vm.shell.run([
      "nsenter",
      "-t",
      String(pooled.pid),
      "-n",
      "--",
      "curl",
      "-s",
      "-m",
      "1",
      `http://[${named.address}]:81/`,
    ]);
    expect(ran.code).toBe(28);
    const gates = desiredFor("28.5", "two-gates", { default: "21", web: "22" });
    await (await applyTo(host, gates)).confirm();
    expect(await changesFor(host, gates)).toEqual([]);
    expect(await host.reach(`http://[${named.address}]:80/`)).toBe("OPEN");
    expect(await host.reach(`http://[${named.address}]:81/`)).toBe("drop");
  });
});

test("unpackedEngine runs without being installed", async ({ skip }) => {
  const why = noEngines();
  if (why !== undefined) return skip(why);
  const engine = await unpackedEngine(cacheFolder(), say);
  const host = await oneHost(engine, { ipv6: true, "fixed-cidr-v6": "2001:db8:1:2:21::/80" });
  try {
    const pid = (await host.vm.shell.read("/run/docker.pid"))?.trim() ?? "";
    expect((await host.vm.shell.run(["readlink", `/proc/${pid}/exe`])).stdout).toContain(cacheFolder());
    const container = await host.container("one", [], [80]);
    expect(await host.reach(`http://[${container.address}]/`)).toMatch(/OPEN|drop/);
    expect((await host.docker("version", "--format", "{{.Server.Version}}")).stdout).toContain(engine.version.text);
  } finally {
    await host.end();
  }
});
