import { afterEach, beforeEach, expect, test } from "vitest";
import { layerOf } from "../../../test/conformance/states.ts";
import { type FakePve, startPve } from "../../../test/fakes/pve/index.ts";
import { inspect } from "./inspect.ts";

let pve: FakePve;
beforeEach(async () => {
  pve = await startPve();
  await pve.write("auto lo\niface lo inet loopback\n");
});
afterEach(() => pve.stop());

const api = 'api: { url: "https://127.0.0.1:8006", key: env:TOKEN }';
const desired = layerOf("hypervisor", "pve", {
  hypervisor: ["node: pve", api, "vms: { vm1: { id: 101, clone: 9000 } }"],
});

test("inspect finds nothing to say of a node that is fine", async () => {
  const found = await inspect(pve.way().http, desired, Date.now());
  expect(found.map(({ what, fix }) => [what, fix])).toEqual([
    ["Proxmox VE", undefined],
    ["rights of the token", undefined],
    ["clock", undefined],
    ["edits that wait", undefined],
  ]);
});

test("inspect names missing rights, a clock that is off, and edits that wait", async () => {
  pve.faults.add("no rights").add("foreign edit");
  const found = await inspect(pve.way().http, desired, Date.now() - 3_600_000);
  const fixes = found.map(({ fix }) => fix ?? "").join("\n");
  expect(fixes).toMatch(/Sys\.Modify on \/nodes\/pve.*VM\.Clone on \/vms\/9000/s);
  expect(fixes).toMatch(/NTP/);
  expect(fixes).toMatch(/System > Network/);
});
