import { rm } from "node:fs/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ada, basisWith, ControllerRig, root, usualPolicy } from "../../test/controller-rig.ts";
import { addressOn, report, tcp, vm1, vm2 } from "../../test/openings-rig.ts";
import { Failure } from "../base/failure.ts";
import { seconds } from "../base/time.ts";
import { prefix } from "../net/prefix.ts";
import type { OpenWish } from "./controller.ts";

let rig: ControllerRig;
beforeEach(async () => {
  rig = await ControllerRig.make();
});
afterEach(() => rig.remove());

const [a1, a2] = [addressOn(vm1, 1), addressOn(vm1, 2)];
const b1 = addressOn(vm2, 1);

function wish(over: Partial<OpenWish> = {}): OpenWish {
  return {
    to: "vm1/c1",
    services: [tcp(22)],
    from: [prefix("3fff:1::/48")],
    lasts: seconds(600),
    reason: "look",
    ...over,
  };
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  return error instanceof Failure ? error.diagnostic.code : String(error);
}

test("a container's label is open, seen, told, timed and written down; and closed with the container", async () => {
  const one = await rig.start();
  rig.snapshot(one, "vm1");
  rig.put(one, "vm1", report(1, { open: "80; 22", on: [a1] }));
  expect(await rig.open(one)).toEqual([`${a1} 80/tcp from ::/0`]);
  const [view] = one.controller.openings(vm1).filter(({ askedBy }) => askedBy.kind === "label");
  expect(view).toMatchObject({ host: vm1, container: { name: "c1" }, to: a1, state: "open", grantedBy: "web" });
  expect(one.controller.opening(view?.id ?? "")).toEqual(view);
  expect(one.controller.refusals()).toMatchObject([{ host: vm1, code: "E912", container: { name: "c1" }, to: a1 }]);
  expect(one.controller.status()).toMatchObject({ complete: true, refusals: 1, latency: { count: 1, p50: 0 } });
  rig.gone(one, "vm1", 1);
  expect(await rig.open(one)).toEqual([]);
  expect(one.controller.refusals()).toEqual([]);
  const told = rig.events.map((event) => (event.kind === "closed" ? `closed: ${event.why}` : event.kind));
  expect(told).toEqual(["agent", "refused", "opened", "closed: its container is gone"]);
  expect((await rig.what(one)).slice(1)).toEqual([
    "agent vm1: agent-connected",
    "agent vm1: refused",
    "agent vm1: opened",
    "agent vm1: closed",
  ]);
  expect(await one.controller.verifyJournal()).toBeUndefined();
  await one.end();
});

test("a restart closes nothing, keeps what is held until its host has reported, and tells nothing twice", async () => {
  const one = await rig.start();
  rig.snapshot(one, "vm1", report(1, { open: "80", on: [a1] }), report(2, { open: "443", on: [a2] }));
  rig.snapshot(one, "vm2", report(3, { open: "80", on: [b1] }));
  const before = await rig.open(one);
  await one.end();
  expect(rig.gateway.open()).toEqual(before);
  const two = await rig.start();
  expect(await rig.open(two)).toEqual(before);
  expect(two.controller.status()).toMatchObject({ complete: false });
  expect(two.controller.openings(vm1).map(({ state }) => state)).toEqual(["held", "held"]);
  rig.events.length = 0;
  rig.snapshot(two, "vm1", report(2, { open: "443", on: [a2] }));
  expect(await rig.open(two)).toEqual([`${a2} 443/tcp from ::/0`, `${b1} 80/tcp from ::/0`]);
  expect(rig.events.filter(({ kind }) => kind === "opened" || kind === "closed")).toMatchObject([
    { kind: "closed", opening: { to: a1, state: "held" }, why: "nobody asks for it" },
  ]);
  expect(two.controller.openings().map(({ to, state }) => `${to} ${state}`)).toContain(`${a2} open`);
  rig.snapshot(two, "vm2", report(3, { open: "80", on: [b1] }));
  await two.settled();
  expect(two.controller.status()).toMatchObject({ complete: true });
  await two.end();
});

test("what a person opens has a reason and an end, is in force when it is acknowledged, and outlives a controller", async () => {
  const one = await rig.start();
  rig.snapshot(one, "vm1", report(1, { on: [a1] }));
  const [view] = await one.controller.open(ada, wish());
  expect(rig.gateway.open()).toEqual([`${a1} 22/tcp from 3fff:1::/48`]);
  expect(view).toMatchObject({ reason: "look", askedBy: { kind: "person", name: "ada" }, grantedBy: "ssh" });
  expect(view?.ends).toBe(rig.clock.now() + 600_000);
  expect((await rig.what(one)).slice(-3)).toEqual(["ada: open", "ada: opened", "ada: open-done"]);
  await one.kill();
  await rig.pass(100_000);
  const two = await rig.start();
  rig.snapshot(two, "vm1", report(1, { on: [a1] }));
  expect(await rig.open(two)).toEqual([`${a1} 22/tcp from 3fff:1::/48`]);
  expect(two.controller.opening(view?.id ?? "")).toMatchObject({ reason: "look", ends: view?.ends });
  await rig.pass(520_000);
  expect(await rig.open(two)).toEqual([]);
  expect(rig.events.at(-1)).toMatchObject({ kind: "closed", why: "its time has passed" });
  await two.end();
});

test("what a person opened ends in the kernel though no controller lives, and is forgotten when one comes", async () => {
  const one = await rig.start();
  rig.snapshot(one, "vm1", report(1, { on: [a1] }));
  await one.controller.open(ada, wish());
  await one.kill();
  await rig.pass(700_000);
  expect(rig.gateway.open()).toEqual([]);
  const two = await rig.start();
  rig.snapshot(two, "vm1", report(1, { on: [a1] }));
  await rig.pass(3000);
  expect(await rig.open(two)).toEqual([]);
  expect(await rig.what(two)).toContain("controller: ended");
  await two.end();
});

test("a person closes what a person opened, and nothing else", async () => {
  const one = await rig.start();
  rig.snapshot(one, "vm1", report(1, { open: "80", on: [a1] }));
  await one.settled();
  const [label] = one.controller.openings(vm1);
  const [view] = await one.controller.open(ada, wish());
  expect(await codeOf(one.controller.close(ada, label?.id ?? "", "no"))).toBe("E949");
  expect(await codeOf(one.controller.close(ada, "nothing", "no"))).toBe("E949");
  expect(await codeOf(one.controller.close({ name: "eve", role: "viewer" }, view?.id ?? "", "no"))).toBe("E951");
  await one.controller.close(ada, view?.id ?? "", "done");
  expect(rig.gateway.open()).toEqual([`${a1} 80/tcp from ::/0`]);
  expect(rig.events.at(-1)).toMatchObject({ kind: "closed", why: "ada: done" });
  await one.end();
  const two = await rig.start();
  rig.snapshot(two, "vm1", report(1, { open: "80", on: [a1] }));
  expect(await rig.open(two)).toEqual([`${a1} 80/tcp from ::/0`]);
  await two.end();
});

test.each<[string, Partial<OpenWish>, string]>([
  ["a port that only labels may open is not for people", { services: [tcp(9999)] }, "E912"],
  ["what policy never opens", { services: [tcp(23)] }, "E911"],
  ["from where no rule allows", { from: [prefix("::/0")] }, "E913"],
  ["for longer than policy gives", { lasts: seconds(9 * 3600) }, "E914"],
  ["without a reason", { reason: "  " }, "E953"],
  ["without an end", { lasts: seconds(0) }, "E953"],
  ["nothing at all", { services: [] }, "E948"],
  ["to a container that is not there", { to: "vm1/nobody" }, "E948"],
  ["to a host that is not there", { to: "vm7/c1" }, "E948"],
  ["to an address that no container has", { to: a2 }, "E948"],
  ["to an address outside every block", { to: "3fff::1" }, "E948"],
])("a person opens nothing: %s", async (_, over, code) => {
  const one = await rig.start();
  rig.snapshot(one, "vm1", report(1, { on: [a1] }));
  await one.settled();
  expect(await codeOf(one.controller.open(ada, wish(over)))).toBe(code);
  expect(await codeOf(one.controller.open({ name: "eve", role: "viewer" }, wish()))).toBe("E951");
  expect(await rig.open(one)).toEqual([]);
  await one.end();
});

test("what a person opened belongs to the container: the next one at its address does not have it", async () => {
  const one = await rig.start();
  rig.snapshot(one, "vm1", report(1, { on: [a1] }));
  await one.controller.open(ada, wish({ to: a1 }));
  rig.put(one, "vm1", report(2, { on: [a1] }));
  expect(await rig.open(one)).toEqual([]);
  rig.gone(one, "vm1", 2);
  rig.put(one, "vm1", report(1, { on: [a1] }));
  expect(await rig.open(one)).toEqual([`${a1} 22/tcp from 3fff:1::/48`]);
  await one.end();
});

test("a person opens an address of a host that no agent speaks for, also over restarts", async () => {
  const one = await rig.start();
  await one.controller.open(ada, wish({ to: a1 }));
  await one.kill();
  const two = await rig.start();
  expect(await rig.open(two)).toEqual([`${a1} 22/tcp from 3fff:1::/48`]);
  expect(two.controller.openings(vm1).map(({ state }) => state)).toEqual(["open"]);
  const [view] = two.controller.openings(vm1);
  await two.controller.close(ada, view?.id ?? "", "done");
  expect(await rig.open(two)).toEqual([]);
  await two.end();
});

test("a person is told when the gateway does not take it, and nothing opens later", async () => {
  const one = await rig.start();
  rig.snapshot(one, "vm1", report(1, { on: [a1] }));
  await one.settled();
  rig.gateway.faults.push(...Array.from({ length: 50 }, () => ["before", "read"] as const).flat());
  expect(await rig.waitFor(codeOf(one.controller.open(ada, wish())))).toBe("E950");
  rig.gateway.faults.length = 0;
  await rig.pass(60_000);
  expect(await rig.open(one)).toEqual([]);
  await one.end();
});

test("a silent host keeps its openings for an hour, then they close and it is said; its snapshot brings them back", async () => {
  const one = await rig.start();
  rig.snapshot(one, "vm1", report(1, { open: "80", on: [a1] }));
  one.sink.lost(vm1, { at: rig.clock.now() });
  await one.settled();
  await rig.pass(3_590_000, 120_000);
  expect(await rig.open(one)).toHaveLength(1);
  expect(one.controller.agents().find(({ host }) => host === vm1)?.state).toBe("silent");
  await rig.pass(15_000);
  expect(await rig.open(one)).toEqual([]);
  expect(one.controller.agents().find(({ host }) => host === vm1)?.state).toBe("stale");
  expect(rig.events).toContainEqual(expect.objectContaining({ kind: "alarm", alarm: "stale", host: vm1 }));
  expect(rig.events.at(-1)).toMatchObject({ kind: "closed", why: "its host was silent for too long" });
  rig.snapshot(one, "vm1", report(1, { open: "80", on: [a1] }));
  expect(await rig.open(one)).toHaveLength(1);
  await one.end();
});

test("what is held closes too when its host never comes", async () => {
  const one = await rig.start();
  rig.snapshot(one, "vm1", report(1, { open: "80", on: [a1] }));
  await one.settled();
  await one.end();
  const two = await rig.start();
  await rig.pass(3_590_000, 120_000);
  expect(await rig.open(two)).toHaveLength(1);
  await rig.pass(15_000);
  expect(await rig.open(two)).toEqual([]);
  expect(two.controller.status()).toMatchObject({ complete: true });
  await two.end();
});

test("a gateway that is away at the start is waited for, and nothing is written to it before it was read", async () => {
  const one = await rig.start();
  rig.snapshot(one, "vm1", report(1, { open: "80", on: [a1] }));
  await one.settled();
  await one.end();
  rig.gateway.faults.push(...Array.from({ length: 6 }, () => "read" as const));
  const two = await rig.start();
  expect(two.controller.status().gateway).toMatchObject({ reached: false });
  rig.snapshot(two, "vm1", report(2, { open: "443", on: [a2] }));
  await rig.pass(1000);
  expect(rig.gateway.open()).toEqual([`${a1} 80/tcp from ::/0`]);
  expect(await codeOf(two.controller.open(ada, wish()))).toBe("E503");
  await rig.pass(60_000);
  expect(await rig.open(two)).toEqual([`${a2} 443/tcp from ::/0`]);
  expect(two.controller.status().gateway).toMatchObject({ reached: true });
  await two.end();
});

test("two controllers: the second waits for the first's end, and the first writes nothing after it lost its right", async () => {
  const one = await rig.start();
  rig.snapshot(one, "vm1", report(1, { open: "80", on: [a1] }));
  await one.settled();
  let second = false;
  const coming = rig.start().then((two) => {
    second = true;
    return two;
  });
  await rig.until(() =>
    rig.said.includes("Another controller writes to the gateway: this one waits until it has ended"),
  );
  await rig.pass(20_000);
  expect(second).toBe(false);
  await one.end();
  const two = await rig.waitFor(coming);
  rig.snapshot(two, "vm1", report(2, { open: "443", on: [a2] }));
  expect(await rig.open(two)).toEqual([`${a2} 443/tcp from ::/0`]);
  await two.end();
});

test.each(["before", "after"] as const)(
  "killed while the gateway takes a change (%s it does): the next one finishes",
  async (fault) => {
    const one = await rig.start();
    rig.snapshot(one, "vm1", report(1, { open: "80", on: [a1] }));
    await one.settled();
    rig.gateway.faults.push(fault);
    rig.snapshot(one, "vm1", report(2, { open: "443", on: [a1] }));
    await one.settled();
    await one.kill();
    const two = await rig.start();
    rig.snapshot(two, "vm1", report(2, { open: "443", on: [a1] }));
    expect(await rig.open(two)).toEqual([`${a1} 443/tcp from ::/0`]);
    expect(await two.controller.verifyJournal()).toBeUndefined();
    await two.end();
  },
);

test("a lease is not made longer by a restart, of the controller or of the container", async () => {
  const one = await rig.start();
  rig.snapshot(one, "vm1", report(1, { open: "9000", on: [a1] }));
  expect(await rig.open(one)).toHaveLength(1);
  await rig.pass(25_000);
  await one.kill();
  const two = await rig.start();
  rig.snapshot(two, "vm1", report(1, { open: "9000", on: [a1] }));
  await rig.pass(20_000);
  rig.gone(two, "vm1", 1);
  await two.settled();
  rig.put(two, "vm1", report(1, { open: "9000", on: [a1] }));
  await rig.pass(21_000);
  expect(await rig.open(two)).toEqual([]);
  rig.gone(two, "vm1", 1);
  rig.put(two, "vm1", report(1, { open: "9000", on: [a1] }));
  expect(await rig.open(two)).toEqual([]);
  await two.end();
});

test("setting the clock ends nothing early and makes nothing longer", async () => {
  const one = await rig.start();
  rig.snapshot(one, "vm1", report(1, { open: "9000", on: [a1] }));
  await one.controller.open(ada, wish());
  for (const by of [3_600_000, -7_200_000, -1_700_000_000_000]) {
    rig.clock.set((rig.clock.now() + by) as never);
    await rig.pass(5000);
    expect(await rig.open(one)).toHaveLength(2);
  }
  await rig.pass(50_000);
  expect(await rig.open(one)).toEqual([`${a1} 22/tcp from 3fff:1::/48`]);
  await rig.pass(540_000);
  expect(await rig.open(one)).toEqual([]);
  expect(await rig.what(one)).toContain("controller: clock-set");
  await one.end();
});

test("what the fleet file opens has the name of the container that is at its address now", async () => {
  rig.basis = basisWith(`${usualPolicy}\nopenings:\n  - { to: "${a1}", ports: [80], from: any }\n`);
  const one = await rig.start();
  const names = (): readonly unknown[] => one.controller.openings(vm1).map(({ container }) => container?.name);
  expect(names()).toEqual([undefined]);
  rig.snapshot(one, "vm1", report(1, { on: [a1] }));
  await one.settled();
  expect(names()).toEqual(["c1"]);
  const [view] = one.controller.openings(vm1);
  expect(one.controller.opening(view?.id ?? "")).toEqual(view);
  rig.gone(one, "vm1", 1);
  await one.settled();
  expect(names()).toEqual([undefined]);
  await one.end();
});

test("another policy closes what it does not grant, and a host that left the fleet file loses all", async () => {
  const one = await rig.start();
  rig.snapshot(one, "vm1", report(1, { open: "80; 443", on: [a1] }));
  rig.snapshot(one, "vm2", report(3, { open: "80", on: [b1] }));
  expect(await rig.open(one)).toHaveLength(3);
  await one.reload(basisWith(usualPolicy.replace("80, 443", "443")));
  expect(await rig.open(one)).toEqual([`${a1} 443/tcp from ::/0`]);
  await one.reload(basisWith(usualPolicy));
  expect(await rig.open(one)).toHaveLength(3);
  await one.reload(basisWith(usualPolicy, "vm2"));
  expect(await rig.open(one)).toEqual([`${a1} 443/tcp from ::/0`, `${a1} 80/tcp from ::/0`]);
  expect(one.controller.refusals(vm2)).toMatchObject([{ code: "E916" }]);
  await one.reload(basisWith(usualPolicy));
  expect(await rig.open(one)).toHaveLength(3);
  await one.end();
});

test("revoke closes what the host has open, and only an admin may", async () => {
  const one = await rig.start();
  rig.snapshot(one, "vm1", report(1, { open: "80", on: [a1] }));
  await one.settled();
  expect(await codeOf(one.controller.revoke(ada, vm1, "taken over"))).toBe("E951");
  expect(await codeOf(one.controller.revoke(root, vm1, "taken over"))).toBe("E932");
  expect(await rig.open(one)).toEqual([]);
  expect(await codeOf(one.controller.invite(root, "vm7" as never))).toBe("E948");
  expect(await one.controller.invite(root, vm1)).toMatchObject({ host: vm1 });
  expect((await rig.what(one)).slice(-2)).toEqual(["agent vm1: closed", "root: invited"]);
  await one.end();
});

test("views: suggestions, containers, agents, what the gateway itself holds", async () => {
  const one = await rig.start();
  rig.snapshot(
    one,
    "vm1",
    report(1, { open: "80", on: [a1], exposed: [{ transport: "tcp", ports: { first: 443, last: 443 } }] }),
  );
  await one.settled();
  expect(one.controller.suggestions(vm1)).toMatchObject([{ host: vm1, address: a1, label: "sixgate.open=80; 443" }]);
  expect(one.controller.containers(vm1).map(({ name }) => name)).toEqual(["c1"]);
  expect(one.controller.containers(vm2)).toEqual([]);
  expect(one.controller.agents().map(({ host, state, containers }) => [host, state, containers])).toEqual([
    ["vm1", "connected", 1],
    ["vm2", "never", 0],
    ["vm999", "never", 0],
  ]);
  expect(await one.controller.inForce(a1)).toMatchObject([{ service: { ports: { first: 80 } } }]);
  await one.end();
});

test.each<[string, string, "before" | "after"]>([
  ["before the wish is on disk", "wish/", "before"],
  ["after the wish is on disk", "wish/", "after"],
  ["before a first sighting is on disk", "sighting/", "before"],
  ["after a first sighting is on disk", "sighting/", "after"],
])("killed %s: what is open is what is kept, and nothing is there by halves", async (_, prefix, when) => {
  const one = await rig.start({ killAt: (keys) => (keys.some((key) => key.startsWith(prefix)) ? when : undefined) });
  rig.snapshot(one, "vm1", report(1, { open: "9000", on: [a1] }));
  void one.controller.open(ada, wish());
  await rig.pass(2000);
  const two = await rig.start();
  expect(await two.controller.verifyJournal()).toBeUndefined();
  rig.snapshot(two, "vm1", report(1, { open: "9000", on: [a1] }));
  const isKept = prefix === "wish/" ? when === "after" : (await rig.what(two)).includes("ada: open-done");
  const open = await rig.open(two);
  expect(open).toContain(`${a1} 9000/tcp from ::/0`);
  if (prefix === "wish/") expect(open.includes(`${a1} 22/tcp from 3fff:1::/48`)).toBe(isKept);
  expect(two.controller.openings(vm1).map(({ to }) => to)).toEqual(open.map(() => a1));
  await rig.pass(700_000);
  expect(await rig.open(two)).toEqual([]);
  await two.end();
});

test("while the journal's disk is full nothing opens, what ends is closed, and people are told", async () => {
  let isFull = false;
  const one = await rig.start({ journalFails: () => isFull });
  rig.snapshot(one, "vm1", report(1, { open: "80", on: [a1] }), report(2, { open: "443", on: [a2] }));
  expect(await rig.open(one)).toHaveLength(2);
  isFull = true;
  rig.gone(one, "vm1", 1);
  rig.put(one, "vm1", report(3, { open: "8000", on: [addressOn(vm1, 3)] }));
  expect(await rig.open(one)).toEqual([`${a2} 443/tcp from ::/0`]);
  expect(await codeOf(one.controller.open(ada, wish({ to: "vm1/c2" })))).toBe("E947");
  await rig.pass(10_000);
  expect(await rig.open(one)).toEqual([`${a2} 443/tcp from ::/0`]);
  expect(rig.said.filter((text) => text.includes("nothing new is opened until it can"))).toHaveLength(1);
  isFull = false;
  await rig.pass(3000);
  expect(await rig.open(one)).toHaveLength(2);
  await one.end();
});

test("a store that is lost: what the gateway holds stays until its host has reported", async () => {
  const one = await rig.start();
  rig.snapshot(one, "vm1", report(1, { open: "80", on: [a1] }));
  await one.controller.open(ada, wish());
  await one.end();
  await rm(`${rig.folder}/store.db`);
  await expect(rig.start()).rejects.toThrow("E942");
  const two = await rig.start({ acceptLoss: true });
  expect(await rig.open(two)).toHaveLength(2);
  rig.snapshot(two, "vm1", report(1, { open: "80", on: [a1] }));
  expect(await rig.open(two)).toEqual([`${a1} 80/tcp from ::/0`]);
  expect(await rig.what(two)).toContain("controller: store-lost");
  await two.end();
});

test("an address that changes hands in a tight loop never carries an opening over, through restarts too", async () => {
  let on = await rig.start();
  rig.snapshot(on, "vm1");
  for (let n = 0; n < 60; n++) {
    rig.put(on, "vm1", report(2 * n + 1, { open: "80", on: [a1] }));
    if (n % 3 === 0) await on.settled();
    rig.put(on, "vm1", report(2 * n + 2, { on: [a1] }));
    if (n % 2 === 0) rig.gone(on, "vm1", 2 * n + 1);
    if (n % 20 === 19) {
      await on.kill();
      on = await rig.start();
      rig.snapshot(on, "vm1", report(2 * n + 2, { on: [a1] }));
    }
    expect(await rig.open(on)).toEqual([]);
    rig.gone(on, "vm1", 2 * n + 1, 2 * n + 2);
  }
  await on.end();
});
