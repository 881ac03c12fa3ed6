import { expect, test } from "vitest";
import type { DeviceName } from "../base/name.ts";
import type { Change, ChangeSet } from "./change-set.ts";
import { type Access, type GuardFact, type GuardOverrides, guard } from "./guard.ts";
import type { Item, Value } from "./item.ts";

const device = "fw" as DeviceName;
const strict: GuardOverrides = { acceptLockoutRisk: false, acceptRemovals: false };
const ssh: Access = { address: "10.10.10.2", route: "10.20.0.0/16" };

function item(key: string, value: Value = true, lane: Item["lane"] = "structure"): Item {
  return { key, value, lane };
}

function gone(...keys: readonly string[]): readonly Change[] {
  return keys.map((key) => ({ kind: "delete", before: item(key) }));
}

function set(changes: readonly Change[]): ChangeSet {
  return { device, layer: "guest", driver: "networkd", base: "1", changes };
}

function fact(rest: Partial<GuardFact> = {}): GuardFact {
  return { device, layer: "guest", structure: 40, undo: "watchdog", ...rest };
}

function codes(changes: readonly Change[], rest: Partial<GuardFact> = {}, overrides = strict): readonly string[] {
  return guard([set(changes)], [fact(rest)], overrides).map(({ code }) => code);
}

test("guard lets an ordinary change pass", () => {
  const change: Change = { kind: "create", after: item("route 2001:db8::20:0:0:0/76", "via 2001:db8::2 dev eth2") };
  expect(codes([change], { access: ssh })).toEqual([]);
});

test("guard refuses to take the address that we came in by", () => {
  expect(codes(gone("address eth0 10.10.10.2/24"), { access: ssh })).toEqual(["E601"]);
  expect(codes(gone("address eth0 10.10.10.21/24", "address eth0 110.10.10.2/24"), { access: ssh })).toEqual([]);
  expect(codes(gone("address eth0 10.10.10.2/24"))).toEqual([]);
});

test("guard refuses a file that no longer names our address, unless another now does", () => {
  const before = item("file /etc/systemd/network/eth0.network", "[Network]\nAddress=10.10.10.2/24\n");
  const other: Change = { kind: "update", before, after: { ...before, value: "[Network]\nAddress=10.10.10.20/24\n" } };
  const more: Change = {
    kind: "update",
    before,
    after: { ...before, value: "[Network]\nAddress=10.10.10.2/24\nMTUBytes=1400\n" },
  };
  expect(codes([other], { access: ssh })).toEqual(["E601"]);
  expect(codes([more], { access: ssh })).toEqual([]);
  expect(codes([...gone("file /etc/network/old"), more], { access: ssh })).toEqual([]);
});

test("guard refuses rules that would not let us in again, and lets openings pass", () => {
  const rule: Change = { kind: "create", after: item("chain input") };
  const opening: Change = { kind: "create", after: item("element static_open", true, "members") };
  expect(codes([rule, opening], { access: ssh, shutOut: "nobody" })).toEqual(["E616"]);
  expect(codes([opening], { access: ssh, shutOut: "nobody" })).toEqual([]);
  expect(codes([rule], { access: ssh, shutOut: "nobody" }, { ...strict, acceptLockoutRisk: true })).toEqual([]);
});

test("guard refuses to take or turn the route back to us", () => {
  const turned: Change = {
    kind: "update",
    before: item("route 10.20.0.0/16", "via 10.10.10.1 dev eth0"),
    after: item("route 10.20.0.0/16", "via 10.10.10.9 dev eth0"),
  };
  expect(codes([turned], { access: ssh })).toEqual(["E601"]);
  expect(codes(gone("route 10.20.0.0/16"), { access: ssh })).toEqual(["E601"]);
});

test.each(["::/0", "0.0.0.0/0"])("guard refuses to take the default route %s, also on this machine", (route) => {
  expect(codes(gone(`route ${route}`))).toEqual(["E602"]);
});

test("guard refuses to remove more than 10 objects that are more than a fifth", () => {
  const many = (n: number): readonly Change[] => gone(...Array.from({ length: n }, (_, i) => `sysctl a${i}`));
  expect(codes(many(10), { structure: 12 })).toEqual([]);
  expect(codes(many(11), { structure: 54 })).toEqual(["E603"]);
  expect(codes(many(11), { structure: 55 })).toEqual([]);
});

test("guard refuses to close more than 50 openings at once, counted over all devices", () => {
  const closing = (n: number, name: string): ChangeSet => ({
    ...set(
      Array.from({ length: n }, (_, i): Change => ({ kind: "delete", before: item(`opening ${i}`, true, "members") })),
    ),
    device: name as DeviceName,
  });
  const facts = ["a", "b"].map((name) => fact({ device: name as DeviceName }));
  expect(guard([closing(25, "a"), closing(25, "b")], facts, strict)).toEqual([]);
  expect(guard([closing(25, "a"), closing(26, "b")], facts, strict).map(({ code }) => code)).toEqual(["E604"]);
});

test("guard refuses a device from afar that can't undo, not one we are on", () => {
  expect(codes(gone("sysctl a"), { undo: "none", access: ssh })).toEqual(["E605"]);
  expect(codes(gone("sysctl a"), { undo: "none" })).toEqual([]);
});

test("guard refuses changes for a device that was not read, whatever the flags", () => {
  const accepted = { acceptLockoutRisk: true, acceptRemovals: true };
  expect(guard([set(gone("sysctl a"))], [], accepted).map(({ code }) => code)).toEqual(["E606"]);
  expect(guard([set([])], [], strict)).toEqual([]);
});

test("guard lets each flag pass its own refusals and names it in the fix", () => {
  const changes = gone(
    "address eth0 10.10.10.2/24",
    "route ::/0",
    ...Array.from({ length: 20 }, (_, i) => `sysctl a${i}`),
  );
  const all = guard([set(changes)], [fact({ access: ssh })], strict);
  expect(all.map(({ code }) => code)).toEqual(["E601", "E602", "E603"]);
  expect(all.map(({ fix }) => /--accept-[a-z-]+/.exec(fix)?.[0])).toEqual([
    "--accept-lockout-risk",
    "--accept-lockout-risk",
    "--accept-removals",
  ]);
  expect(codes(changes, { access: ssh }, { ...strict, acceptLockoutRisk: true })).toEqual(["E603"]);
  expect(codes(changes, { access: ssh }, { ...strict, acceptRemovals: true })).toEqual(["E601", "E602"]);
});
