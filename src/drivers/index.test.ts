import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { DeviceName } from "../base/name.ts";
import type { Desired } from "../desired/desired.ts";
import { prefix } from "../net/prefix.ts";
import { closedPolicy } from "../openings/policy.ts";
import { localShell } from "../runtime/shell-local.ts";
import { bind, drivers } from "./index.ts";

const gateway: Desired = {
  layer: "gateway",
  device: "fw" as DeviceName,
  driver: "nftables",
  delegated: prefix("2001:db8:1:2::/64"),
  hostLength: 76,
  uplink: "vtnet0",
  inside: "vtnet2",
  own: [],
  hosts: [],
  policy: { betweenHosts: "closed", egress: "open", openings: closedPolicy },
  openings: [],
  bogons: [],
};

test("drivers names every folder that has a driver, but memory, which no fleet file can name", () => {
  const folders = readdirSync(import.meta.dirname, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(import.meta.dirname, entry.name, "driver.ts")))
    .map(({ name }) => name);
  const named = Object.values(drivers).flatMap((kinds) => Object.values(kinds).map(({ name }) => name));
  expect(new Set(named)).toEqual(new Set(folders.filter((name) => name !== "memory")));
});

test("drivers have the layer that they are listed under, and an undo", () => {
  for (const [layer, kinds] of Object.entries(drivers)) {
    // A provider has nobody of ours at it.
    for (const kind of Object.values(kinds))
      expect([kind.layer, kind.undo]).toEqual([layer, layer === "provider" ? "none" : "watchdog"]);
  }
});

test("bind gives the items of the driver that the desired state names", () => {
  const { items, undo } = bind(localShell(), gateway);
  expect(items.length).toBeGreaterThan(10);
  expect(undo).toBe("watchdog");
});
