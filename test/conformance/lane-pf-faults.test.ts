import { afterEach, describe, expect, test } from "vitest";
import type { HostName } from "../../src/base/name.ts";
import { seconds } from "../../src/base/time.ts";
import { diff } from "../../src/change/diff.ts";
import { lanes } from "../../src/drivers/index.ts";
import type { AddressChange, MembersLane } from "../../src/drivers/members-lane.ts";
import { opnsense } from "../../src/drivers/opnsense/driver.ts";
import { pfsense } from "../../src/drivers/pfsense/driver.ts";
import { address } from "../../src/net/address.ts";
import { prefix } from "../../src/net/prefix.ts";
import type { OpenService } from "../../src/openings/opening.ts";
import type { ApiWay } from "../../src/runtime/way.ts";
import type { Kernel } from "../fakes/kernel.ts";
import { showTables } from "../fakes/kernel.ts";
import { reloadFilter } from "../fakes/opnsense/kernel.ts";
import { configureFilter } from "../fakes/pfsense/kernel.ts";
import { flowsIn, statesOf } from "./lane-pf.ts";
import { pfState } from "./pf-states.ts";
import { startOpnSense } from "./target-opnsense.ts";
import { startArticle } from "./target-pfsense.ts";

// What goes wrong on a device, one by one; and what the device does by itself.

const vm1 = "vm1" as HostName;
const web = address("2001:db8:10ff:1:21::2");

function tcp(port: number, over: Partial<OpenService> = {}): OpenService {
  const service = { kind: "ports", transport: "tcp", ports: { first: port, last: port } } as const;
  return { service, from: [prefix("::/0")], ...over };
}

function opened(...after: readonly OpenService[]): readonly AddressChange[] {
  return [{ host: vm1, to: web, before: [], after }];
}

type Fault = "shell-lost" | "php-fails";

type Rig = {
  readonly kernel: Kernel;
  readonly root: string;
  readonly desired: ReturnType<typeof pfState>;
  way(by?: { readonly shell?: boolean }): ApiWay;
  fault(name: Fault, times?: number): void;
  /** Each sets one fault, that strikes once. */
  readonly once: readonly (readonly [name: string, set: () => void])[];
  /** The product loads its rules anew, as it does for many reasons. */
  reload(): void;
  reboot(): Promise<void>;
  login(command: string): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }>;
  killWaiting(): Promise<void>;
  /** Somebody switches off every rule of the lane. */
  switchOff(): void;
  stop(): Promise<void>;
};

async function pfSenseRig(): Promise<Rig> {
  const { device, system, ...fake } = await startArticle();
  return {
    ...common(device, system, fake, "pfsense"),
    fault: (name, times) => device.faults.set(name, times),
    once: (["load-fails", "not-loaded", "php-fails"] as const).map((name) => [name, () => device.faults.set(name)]),
    reload() {
      configureFilter(device.kernel, device.config);
      showTables(device.kernel, device.root);
    },
    switchOff() {
      for (const rule of device.config.filter.rule)
        if (typeof rule["descr"] === "string" && rule["descr"].includes(" sgl_")) rule["disabled"] = "";
    },
  };
}

const opnSenseFaults = [
  "rules-not-loaded",
  "tables-not-loaded",
  "configd-down",
  "fatal-read",
  "fatal-write",
  "write-fails",
  "somebody-removes",
  "slow",
  "answer-lost",
  "no-rights",
] as const;

async function opnSenseRig(): Promise<Rig> {
  const { device, system, ...fake } = await startOpnSense();
  return {
    ...common(device, system, fake, "opnsense"),
    // PHP is for the undo alone: what is made new is made by the API.
    fault: (name, times) => device.faults.set(name === "php-fails" ? "write-fails" : name, times),
    once: opnSenseFaults.map((name) => [name, () => device.faults.set(name)]),
    reload() {
      reloadFilter(device.kernel, device.config);
      showTables(device.kernel, device.root);
    },
    switchOff() {
      for (const { fields } of device.config.lists.rule)
        if (fields["description"]?.includes(" sgl_") === true) fields["enabled"] = "0";
    },
  };
}

function common(
  device: Pick<Rig, "kernel" | "root">,
  system: Pick<Rig, "killWaiting"> & { readonly login: (command: string, input: string) => ReturnType<Rig["login"]> },
  fake: Pick<Rig, "way" | "reboot" | "stop">,
  kind: "pfsense" | "opnsense",
): Omit<Rig, "fault" | "once" | "reload" | "switchOff"> {
  return {
    kernel: device.kernel,
    root: device.root,
    desired: pfState({ kind }),
    way: fake.way,
    reboot: fake.reboot,
    login: (command) => system.login(command, ""),
    killWaiting: system.killWaiting,
    stop: fake.stop,
  };
}

describe.each([
  ["pfsense", pfSenseRig, pfsense],
  ["opnsense", opnSenseRig, opnsense],
] as const)("lane %s", { timeout: 120_000 }, (kind, start, driver) => {
  const running: Rig[] = [];
  afterEach(async () => {
    for (const rig of running.splice(0)) await rig.stop();
  });
  async function begin(): Promise<{ rig: Rig; lane: MembersLane; entries: (table: string) => readonly string[] }> {
    const rig = await start();
    running.push(rig);
    const lane = await lanes[kind].open(rig.way(), rig.desired);
    return { rig, lane, entries: (table) => [...(rig.kernel.tables.get(table) ?? [])] };
  }
  const change = (lane: MembersLane, ...after: readonly OpenService[]): Promise<void> =>
    lane.change(opened(...after), 0 as Parameters<MembersLane["change"]>[1]);

  test("what is open stays through a reload of the rules, and nothing is open after a restart", async () => {
    const { rig, lane, entries } = await begin();
    await change(lane, tcp(443), tcp(22, { from: [prefix("2001:db8:ff::/48")] }));
    const before = await lane.read();
    rig.reload();
    expect(await lane.read()).toEqual(before);
    await rig.reboot();
    expect(entries("sgl_tcp_443")).toEqual([]);
    expect(await lane.read()).toEqual([]);
    // The controller opens again what is asked for, without making anything new.
    const loads = rig.kernel.loads;
    await change(lane, tcp(443));
    expect(entries("sgl_tcp_443")).toEqual([web]);
    expect(rig.kernel.loads).toBe(loads);
  });

  test("what has an end is closed on the device, flows and all, when nobody of us lives", async () => {
    const { rig, lane, entries } = await begin();
    const ends = (Date.now() + 5000) as NonNullable<OpenService["ends"]>;
    await change(lane, tcp(443, { ends }), tcp(80));
    rig.kernel.states.push(
      ...statesOf(`2001:db8:77::1 > ${web} tcp 443`, 1),
      ...statesOf(`2001:db8:77::1 > ${web} tcp 80`, 2),
    );
    await lane.end();
    rig.fault("shell-lost", Number.POSITIVE_INFINITY);
    for (let n = 0; n < 300 && flowsIn(rig.kernel).length > 1; n++) await new Promise((go) => setTimeout(go, 100));
    expect(entries("sgt_tcp_443")).toEqual([]);
    expect(entries("sgl_tcp_80")).toEqual([web]);
    expect(flowsIn(rig.kernel)).toEqual([`2001:db8:77::1 > ${web} tcp 80`]);
  });

  test("cron closes what the killed process had to close, and what has lost its end", async () => {
    const { rig, lane, entries } = await begin();
    const ends = (Date.now() + 4000) as NonNullable<OpenService["ends"]>;
    await change(lane, tcp(443, { ends }), tcp(80, { ends: (ends + 600_000) as typeof ends }));
    await rig.killWaiting();
    rig.kernel.tables.get("sgt_tcp_80")?.add("2001:db8:10ff:1:21::3");
    showTables(rig.kernel, rig.root);
    await new Promise((go) => setTimeout(go, Math.max(0, ends - Date.now()) + 100));
    expect(entries("sgt_tcp_443")).toEqual([web]);
    const ran = await rig.login("sh /conf/sixgate/lane close");
    expect(ran, ran.stderr).toMatchObject({ code: 0 });
    expect(entries("sgt_tcp_443")).toEqual([]);
    expect(entries("sgt_tcp_80")).toEqual([web]);
  });

  test("the undo of an apply opens nothing again that closed meanwhile, and closes nothing", async () => {
    const { rig, lane, entries } = await begin();
    await change(lane, tcp(443));
    const at = driver.at(rig.way(), rig.desired);
    const { items, revision } = await at.observe();
    const changes = diff(items, driver.normalize(rig.desired));
    const set = { device: rig.desired.device, layer: "gateway", driver: kind, base: revision, changes } as const;
    const pending = await at.apply(set, seconds(60));
    await lane.change([{ host: vm1, to: web, before: [tcp(443)], after: [tcp(8443)] }], 0 as never);
    await pending.rollback();
    expect(entries("sgl_tcp_443")).toEqual([]);
    expect(entries("sgl_tcp_8443")).toEqual([web]);
    expect(await lane.readAt(web)).toEqual(lane.normalize([tcp(8443)]));
    // And a plan does not see what is the lane's.
    expect(JSON.stringify((await at.observe()).items)).not.toMatch(/sg[lts]_/);
  });

  test("without a shell, with one that is refused, or with one that breaks off, it says so and nothing is open", async () => {
    const { rig, lane, entries } = await begin();
    await expect(lanes[kind].open(rig.way({ shell: false }), rig.desired)).rejects.toMatchObject({
      diagnostic: { code: "E590" },
    });
    rig.fault("php-fails", 1);
    await expect(change(lane, tcp(443))).rejects.toMatchObject({ diagnostic: { code: "E511" } });
    expect(entries("sgl_tcp_443")).toEqual([]);
    rig.fault("shell-lost", Number.POSITIVE_INFINITY);
    await expect(change(lane, tcp(443))).rejects.toThrow();
    await expect(lane.read()).rejects.toThrow();
    await expect(lanes[kind].open(rig.way(), rig.desired)).rejects.toThrow();
    rig.fault("shell-lost", 0);
    await change(lane, tcp(443));
    expect(entries("sgl_tcp_443")).toEqual([web]);
  });

  test("after each fault of the device nothing is said to be open that is not, and the next try opens it", async () => {
    const { rig, lane } = await begin();
    let port = 1000;
    let before: readonly OpenService[] = [];
    for (const [name, set] of rig.once) {
      const after = [...before, tcp(++port, { from: [prefix(`2001:db8:${port}::/48`)] })];
      set();
      const change = (): Promise<void> => lane.change([{ host: vm1, to: web, before, after }], 0 as never);
      const isDone = await change().then(
        () => true,
        () => false,
      );
      expect([name, await lane.readAt(web)]).toEqual([name, lane.normalize(isDone ? after : before)]);
      await change();
      expect([name, await lane.readAt(web)]).toEqual([name, lane.normalize(after)]);
      before = after;
    }
  });

  test("a rule that somebody switched off is no opening, and is not switched on again", async () => {
    const { rig, lane } = await begin();
    await change(lane, tcp(443));
    rig.switchOff();
    rig.reload();
    expect(await lane.read()).toEqual([]);
    await expect(change(lane, tcp(443))).rejects.toMatchObject({ diagnostic: { code: "E594" } });
  });

  test("what is in a table and belongs to no host is taken out", async () => {
    const { rig, lane, entries } = await begin();
    await change(lane, tcp(443));
    rig.kernel.tables.get("sgl_tcp_443")?.add("2001:db8:dead::1");
    showTables(rig.kernel, rig.root);
    expect((await lane.read()).map(({ to }) => to)).toEqual([web]);
    await change(lane, tcp(443), tcp(80));
    expect(entries("sgl_tcp_443")).toEqual([web]);
  });
});
