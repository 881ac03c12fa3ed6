import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type FakePve, token } from "../fakes/pve/index.ts";
import { startNode, stateOf } from "../fakes/pve/judged.ts";
import { type Rig, withRig } from "./rig.ts";
import { project } from "./run.ts";

/** The article's node: a gateway by hand, two hosts to be cloned. Robot is another device. */
async function withPve(work: (rig: Rig<FakePve>) => Promise<void>): Promise<void> {
  const fake = await startNode();
  const fleet = readFileSync(join(project, "examples/article-proxmox.yaml"), "utf8")
    .replace(/ {2}api: +# Robot[^]*?(?=plan:)/, "")
    .replace("kind: proxmox\n", "kind: proxmox\n    node: pve\n")
    .replace("https://10.10.10.1:8006", fake.url)
    .replace("file:/etc/sixgate/pve1.token", "env:PVE_TOKEN")
    .replace(/fingerprint: "0+"/, `fingerprint: "${fake.certified.sha256}"`)
    .replace("enp0s31f6", "enp1s0");
  await withRig({ fake, fleet, secrets: { PVE_TOKEN: token } }, work);
}

const node = ["--only", "pve1"];

test("an apply that is killed behind the reload goes back by itself, and the next one ends", async () => {
  await withPve(async ({ fake, call, start }) => {
    const before = await stateOf(fake, [101, 102]);
    const held = fake.hold(/^PUT \/nodes\/pve\/network$/);
    const first = start(["apply", ...node, "--yes", "--confirm-within", "40"]);
    // One that ends before it gets there says why.
    expect(await Promise.race([held.done, first.said])).toBeUndefined();
    first.kill();
    held.release();
    expect((await first.said).code).toBe(null);
    expect(await fake.read()).toContain("vmbr2");

    const second = await call(["apply", ...node, "--yes"]);
    expect([second.code, second.err]).toEqual([1, expect.stringMatching(/E554.*Another change waits/)]);
    await expect.poll(() => stateOf(fake, [101, 102]), { timeout: 120_000, interval: 500 }).toBe(before);

    const plan = await call(["plan", ...node, "--detailed-exitcode"]);
    expect([plan.code, plan.err]).toEqual([
      2,
      expect.stringMatching(/vm1: VM 101 was cloned by an apply that did not end/),
    ]);
    expect(plan.out).toMatch(/bridge vmbr2[^]*vm vm1/);
    const copies = fake.seen.filter((each) => each === "POST /nodes/pve/qemu/9000/clone").length;
    expect(await call(["apply", ...node, "--yes"])).toMatchObject({ code: 0 });
    expect(fake.seen.filter((each) => each === "POST /nodes/pve/qemu/9000/clone")).toHaveLength(copies);
    expect((await call(["plan", ...node, "--detailed-exitcode"])).code).toBe(0);
    for (const id of [101, 102])
      expect(fake.vms.get(id)).toMatchObject({ running: true, config: { description: "Debian 13" } });
  });
}, 300_000);

test("an apply that is killed while a template is copied is taken up by the next", async () => {
  await withPve(async ({ fake, call, start }) => {
    const before = await stateOf(fake);
    const held = fake.hold(/\/clone$/);
    const first = start(["apply", ...node, "--yes"]);
    // One that ends before it gets there says why.
    expect(await Promise.race([held.done, first.said])).toBeUndefined();
    first.kill();
    held.release();
    await first.said;
    const early = await call(["plan", ...node]);
    expect([early.code, early.err]).toEqual([1, expect.stringMatching(/E554.*VM 101 for vm1 is still being copied/)]);

    fake.settle();
    expect(fake.vms.get(101)).toMatchObject({ name: "vm1", running: false });
    expect(fake.vms.get(101)?.config["description"]).toMatch(/^sixgate: begun from 9000,.*\nDebian 13$/);
    expect(await stateOf(fake, [101])).toBe(before);
    expect(await call(["apply", ...node, "--yes"])).toMatchObject({ code: 0 });
    expect(fake.seen.filter((each) => each === "POST /nodes/pve/qemu/9000/clone")).toHaveLength(2);
    expect(fake.vms.get(101)).toMatchObject({ running: true, config: { description: "Debian 13" } });
    expect((await call(["plan", ...node, "--detailed-exitcode"])).code).toBe(0);
  });
}, 300_000);
