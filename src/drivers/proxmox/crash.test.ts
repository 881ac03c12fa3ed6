import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import { layerOf } from "../../../test/conformance/states.ts";
import { type Life, mortal, type Strike, struck } from "../../../test/fakes/mortal.ts";
import type { FakePve } from "../../../test/fakes/pve/index.ts";
import { begunOn, copyOf, isArmed, passDeadline, startNode, stateOf } from "../../../test/fakes/pve/judged.ts";
import { fakeVm } from "../../../test/fakes/pve/vms.ts";
import { Failure } from "../../base/failure.ts";
import { seconds } from "../../base/time.ts";
import { type ChangeSet, keyOf } from "../../change/change-set.ts";
import { diff } from "../../change/diff.ts";
import type { HypervisorDesired } from "../../desired/desired.ts";
import type { HttpRequest } from "../../runtime/http.ts";
import type { ApiWay } from "../../runtime/way.ts";
import { proxmox } from "./driver.ts";

const api = 'api: { url: "https://127.0.0.1:8006", key: env:TOKEN }';
const exec = "exec: ssh:root@pve";

/** Bridges and the gateway's NICs; then other addresses, its NICs in another order, and a host cloned beside. */
function states(shell: boolean): readonly [from: HypervisorDesired, to: HypervisorDesired] {
  const more = ["node: pve", api, ...(shell ? [exec] : [])];
  const vm1 = "vm1: { id: 101, clone: 9000, cloud-init: true, anti-spoofing: true }";
  return [
    layerOf("hypervisor", "pve", { hypervisor: [...more, "vms: { fw: { id: 100 } }"] }),
    layerOf("hypervisor", "pve", {
      hypervisor: [...more, `vms: { fw: { id: 100, nics: [uplink, hosts, management] }, ${vm1} }`],
      main: "203.0.113.163",
      lan: "10.10.10.5/24",
    }),
  ];
}

async function planned(desired: HypervisorDesired, way: ApiWay): Promise<ChangeSet & { notes: readonly string[] }> {
  const { items, revision, notes = [] } = await proxmox.at(way, desired).observe();
  const { device, layer, driver } = desired;
  return { device, layer, driver, base: revision, changes: diff(items, proxmox.normalize(desired)), notes };
}

async function applied(desired: HypervisorDesired, way: ApiWay, set?: ChangeSet): Promise<void> {
  const pending = await proxmox.at(way, desired).apply(set ?? (await planned(desired, way)), seconds(600));
  await pending.confirm();
}

const keysOf = (set: ChangeSet): readonly string[] => set.changes.map(keyOf);

/** A node at the first state, with a bridge of ours that the second has no more. */
async function firstNode(from: HypervisorDesired, shell: boolean): Promise<FakePve> {
  const pve = await startNode();
  const file = await pve.read();
  await applied(from, pve.way(undefined, shell));
  // The first apply took it away: here it is anew, for the one that is judged.
  const [stanza = ""] = /auto vmbr5\n(?:.+\n)*/.exec(file) ?? [];
  await pve.write(`${(await pve.read()).trimEnd()}\n\n${stanza}\n`);
  return pve;
}

/** The number of calls of a whole apply, and the state it leads to. */
async function whole(
  first: FakePve,
  to: HypervisorDesired,
  shell: boolean,
): Promise<readonly [steps: number, state: string]> {
  const pve = await copyOf(first);
  try {
    const set = await planned(to, pve.way(undefined, shell));
    const life: Life = { left: 10_000 };
    await applied(to, mortal(pve.way(undefined, shell), life), set);
    expect(pve.vms.get(101)).toMatchObject({ running: true, config: { description: "Debian 13" } });
    return [10_000 - life.left, await stateOf(pve)];
  } finally {
    await pve.stop();
  }
}

async function inTurns(cases: number, work: (at: number) => Promise<void>): Promise<void> {
  const all = Array.from({ length: cases }, (_, at) => at);
  for (let at = 0; at < all.length; at += 8) await Promise.all(all.slice(at, at + 8).map(work));
}

test("a process that dies after any step leaves the old or the new state once its undo ran, and the next apply ends", async () => {
  const [from, to] = states(true);
  const first = await firstNode(from, true);
  const [steps, after] = await whole(first, to, true);
  expect(steps).toBeGreaterThan(60);
  const outcomes: string[] = [];

  await inTurns(steps, async (lifetime) => {
    const pve = await copyOf(first);
    const way = pve.way(undefined, true);
    const shell = way.shell ?? fail();
    try {
      const set = await planned(to, way);
      const before = await stateOf(pve);
      await expect(applied(to, mortal(way, { left: lifetime }), set)).rejects.toThrow(/died|E\d/);
      if (pve.vms.get(101)?.lock !== undefined)
        await expect(planned(to, way)).rejects.toThrow(/E554.*still being copied/);
      // What the node was asked to do it does.
      pve.settle();

      if (await isArmed(shell)) {
        // While the undo waits nobody else gets in.
        const between = await stateOf(pve);
        await expect(applied(to, way)).rejects.toThrow(/E554.*Another change waits/);
        expect(await stateOf(pve)).toBe(between);
        expect(await passDeadline(shell)).toBe(1);
      }
      const begun = begunOn(pve);
      const now = await stateOf(pve, begun);
      const next = keysOf(await planned(to, way));
      if (now === before) expect(next).toEqual(keysOf(set));
      else expect([lifetime, now]).toEqual([lifetime, without(after, begun)]);
      if (now !== before)
        expect(next).toEqual(begun.length === 0 ? [] : keysOf(set).filter((key) => / vm1\b/.test(key)));
      outcomes.push(now === before ? "old" : "new");

      await applied(to, way);
      expect([lifetime, await stateOf(pve)]).toEqual([lifetime, after]);
      expect((await planned(to, way)).changes).toEqual([]);
      expect((await shell.list("/run/sixgate/undo")).filter((name) => /\.(?:sh|running)$/.test(name))).toEqual([]);
    } finally {
      await pve.stop();
    }
  });
  await first.stop();
  expect(outcomes.filter((each) => each === "old").length).toBeGreaterThan(steps / 2);
  expect(outcomes).toContain("new");
}, 900_000);

test("without a shell on the node the next apply ends what any step left, and takes edits back that were never in force", async () => {
  const [from, to] = states(false);
  const first = await firstNode(from, false);
  const before = await stateOf(first);
  const inForce = await planned(to, first.way());
  const [steps, after] = await whole(first, to, false);
  const notes: string[] = [];

  await inTurns(steps, async (lifetime) => {
    const pve = await copyOf(first);
    const way = pve.way();
    try {
      await expect(applied(to, mortal(way, { left: lifetime }))).rejects.toThrow("died");
      pve.settle();
      const set = await planned(to, way);
      notes.push(...set.notes.filter((note) => note.includes("edits of an apply that did not end")));
      // What waits is not in force, so the plan is that of before.
      if ((await pve.staged()) !== undefined) {
        expect(await pve.read()).toBe((JSON.parse(before) as { file: string }).file);
        expect([lifetime, set.changes]).toEqual([lifetime, inForce.changes]);
      }
      await applied(to, way, set);
      expect([lifetime, await stateOf(pve)]).toEqual([lifetime, after]);
      expect((await planned(to, way)).changes).toEqual([]);
    } finally {
      await pve.stop();
    }
  });
  await first.stop();
  // Between each of the edits, and behind the last.
  expect(notes.length).toBeGreaterThanOrEqual(4);
}, 900_000);

const faults: Readonly<Record<string, Strike>> = {
  "401": async () => ({ status: 401, text: '{"data":null,"message":"No ticket"}' }),
  "500": async () => ({ status: 500, text: '{"data":null,"message":"got no worker upid - start worker failed"}' }),
  "no answer": () => Promise.reject(new Failure("E503", "pve", "Not reached: no answer in time", "wait")),
  "answer lost": async (_request, pass) => {
    await pass();
    throw new Failure("E503", "pve", "Not reached: socket hang up", "wait");
  },
};
/** What is read goes wrong as what is written does; some of it stands for all. */
const isStruck = ({ method, path }: HttpRequest): boolean => method !== "GET" || /status$|config$|network$/.test(path);

test.each([
  { shell: true, kinds: ["401", "500", "no answer"] },
  { shell: false, kinds: ["500", "no answer", "401"] },
  { shell: true, kinds: ["answer lost"] },
  { shell: false, kinds: ["answer lost"] },
])(
  "$kinds at any call is one error with the node as it was, or none and it is as planned; with a shell: $shell",
  async ({ shell, kinds }) => {
    const [from, to] = states(shell);
    const first = await firstNode(from, shell);
    const before = await stateOf(first);
    let requests = 0;
    const counted = await copyOf(first);
    const counting = struck(counted.way(undefined, shell), (request, pass) => {
      if (isStruck(request)) requests++;
      return pass();
    });
    await applied(to, counting, await planned(to, counted.way(undefined, shell)));
    const after = await stateOf(counted);
    await counted.stop();
    expect(requests).toBeGreaterThan(20);

    await inTurns(requests, async (at) => {
      const pve = await copyOf(first);
      const way = pve.way(undefined, shell);
      try {
        const set = await planned(to, way);
        let seen = 0;
        const fault = kinds[at % kinds.length] ?? "";
        const strike = faults[fault] ?? fail();
        const once = struck(way, (request, pass) =>
          isStruck(request) && seen++ === at ? strike(request, pass) : pass(),
        );
        const said = await applied(to, once, set).then(() => "done", String);
        pve.settle();
        const begun = begunOn(pve);
        const now = await stateOf(pve, begun);
        const told = [fault, shell, at, said];
        if (said === "done") expect([told, now]).toEqual([told, after]);
        else {
          expect(said).toMatch(/^Failure: \S+ .*(?:E503|E511|E582|E585)/s);
          // An error behind the confirmation leaves what was confirmed, and a clone to be started.
          expect([told, now]).toEqual([told, now === before ? before : without(after, begun)]);
          await applied(to, way);
          expect([told, await stateOf(pve)]).toEqual([told, after]);
        }
      } finally {
        await pve.stop();
      }
    });
    await first.stop();
  },
  900_000,
);

test.each([
  ["copying", /E585 qmclone ended with: no space left/, /^POST .*clone$/],
  ["reloading", /E585 srvreload ended with: command 'ifreload -a' failed/, /^PUT \/nodes\/pve\/network$/],
  ["starting", /E585 qmstart ended with/, /start$/],
] as const)(
  "a task that ends with an error while %s is one error, and the next apply ends",
  async (what, error, call) => {
    const [from, to] = states(true);
    const first = await firstNode(from, true);
    const pve = await copyOf(first);
    const way = pve.way(undefined, true);
    try {
      const set = await planned(to, way);
      const before = await stateOf(pve);
      const striking = struck(way, (request, pass) => {
        if (call.test(`${request.method} ${request.path.replace("/api2/json", "")}`)) pve.faults.add("next task fails");
        return pass();
      });
      await expect(applied(to, striking, set)).rejects.toThrow(error);
      expect([...pve.faults]).toEqual([]);
      // What is confirmed stays; the clone waits for its start.
      const [, after] = await whole(first, to, true);
      expect(await stateOf(pve, begunOn(pve))).toBe(what === "starting" ? without(after, [101]) : before);
      expect(begunOn(pve)).toEqual(what === "copying" ? [] : [101]);
      await applied(to, way);
      expect(await stateOf(pve)).toBe(after);
    } finally {
      await pve.stop();
      await first.stop();
    }
  },
  120_000,
);

test("an apply may take longer than its time to confirm, as long as the node is reached meanwhile", async () => {
  const [from, to] = states(true);
  const pve = await firstNode(from, true);
  const way = pve.way(undefined, true);
  try {
    const set = await planned(to, way);
    const slow = struck(way, async (request, pass) => {
      if (request.method !== "GET") await pause(2000);
      return pass();
    });
    const began = performance.now();
    const pending = await proxmox.at(slow, to).apply(set, seconds(12));
    expect(performance.now() - began).toBeGreaterThan(12_000);
    await pending.confirm();
    expect((await planned(to, way)).changes).toEqual([]);
  } finally {
    await pve.stop();
  }
}, 120_000);

test("where the node went back while a write was under way, what that wrote is taken back too", async () => {
  const [from, to] = states(true);
  const pve = await firstNode(from, true);
  const way = pve.way(undefined, true);
  const shell = way.shell ?? fail();
  try {
    const set = await planned(to, way);
    const before = await stateOf(pve);
    let stalls = true;
    const stalled = struck(way, async (request, pass) => {
      if (!stalls || request.method !== "PUT" || !request.path.endsWith("/qemu/100/config")) return pass();
      stalls = false;
      await expect
        .poll(async () => (await shell.list("/run/sixgate/undo")).join(), { timeout: 60_000 })
        .toMatch(/\.undone/);
      return pass();
    });
    await expect(proxmox.at(stalled, to).apply(set, seconds(5))).rejects.toThrow(
      /^\S+ .*E514 [^]*the device went back$/,
    );
    expect(await stateOf(pve, begunOn(pve))).toBe(before);
  } finally {
    await pve.stop();
  }
}, 120_000);

test("what an undo over the API finds not made yet is no failure", async () => {
  const vm1 = "vms: { vm1: { id: 101, anti-spoofing: true } }";
  const to = layerOf("hypervisor", "pve", { hypervisor: ["node: pve", api, vm1] });
  const pve = await startNode();
  pve.vms.set(101, fakeVm("vm1", { net0: "virtio=BC:24:11:00:00:02,bridge=vmbr1" }));
  try {
    const before = await stateOf(pve);
    const refusing = struck(pve.way(), async (request, pass) =>
      request.method === "PUT" && request.path.endsWith("/network") ? { status: 500, text: "{}" } : pass(),
    );
    await expect(applied(to, refusing, await planned(to, pve.way()))).rejects.toThrow(/^\S+ .*E511 PUT .* was refused/);
    expect(await stateOf(pve)).toBe(before);
  } finally {
    await pve.stop();
  }
}, 60_000);

/** A state without VMs of these numbers. */
function without(state: string, ids: readonly number[]): string {
  const { vms, ...rest } = JSON.parse(state) as { vms: readonly { id: number }[] };
  return JSON.stringify({ ...rest, vms: vms.filter(({ id }) => !ids.includes(id)) }, undefined, 1);
}

function fail(): never {
  throw new Error("no shell");
}
