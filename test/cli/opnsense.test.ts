import { join } from "node:path";
import { expect, test } from "vitest";
import { leftovers } from "../fakes/firewall.ts";
import { stateOf } from "../fakes/opnsense/device.ts";
import { withOpnSense } from "./pf-rig.ts";
import { project, sixgate } from "./run.ts";

const fixtures = join(project, "test/fixtures/opnsense");

test("a seeded OPNsense needs no change; an opening is planned, applied, confirmed and taken back, root's csh between", async () => {
  await withOpnSense(async ({ fake: { device }, call, edit }) => {
    const first = await call(["plan", "--detailed-exitcode"]);
    expect(first.err).not.toMatch(/E\d{3} /);
    expect(first.code).toBe(0);
    const before = stateOf(device);
    edit("www, ports: [80, 443, 443/udp, ping]", "www, ports: [80, 443, 8443, ping]");
    device.faults.set("rules-not-loaded", Number.POSITIVE_INFINITY);
    const failed = await call(["apply", "--yes"]);
    expect(failed.err).toMatch(/stopped at fw gateway: it goes back[\s\S]*E512 The device says that it applied/);
    device.faults.clear();
    expect(stateOf(device)).toBe(before);
    const applied = await call(["apply", "--yes"]);
    expect(applied.err).toMatch(/✓ fw +gateway +\d+ changes, confirmed/);
    expect(device.kernel.tables.has("sgf_tcp_8443")).toBe(true);
    expect(leftovers(device)).toEqual([]);
  });
}, 600_000);

test("import opnsense prints a fleet file with its guesses marked", async () => {
  const said = await sixgate(["import", "opnsense", join(fixtures, "opnsense-article-2vm.config.xml")]);
  expect(said.err).toMatch(/\d+ guesses to look at; the file is valid/);
  expect(said.code).toBe(0);
  const wrong = await sixgate(["import", "opnsense", "test/fixtures/pfsense/pfsense-default-config.xml"]);
  expect(wrong.err).toContain("E570 ");
});
