import { expect } from "vitest";
import type { Shell } from "../../../src/runtime/shell.ts";
import { type FakePve, startPve } from "./index.ts";
import { type FakeVm, fakeVm } from "./vms.ts";

/** The article's node before: a gateway VM by hand, a template, a bridge of somebody's and one of ours that is to go. */
export async function startNode(): Promise<FakePve> {
  const pve = await startPve();
  const cards = ["enp1s0", "enp2s0"].map((name) => `iface ${name} inet manual\n`).join("\n");
  await pve.write(`auto lo\niface lo inet loopback\n\n${cards}\n${foreign}\n${ours}`);
  pve.vms.set(100, fakeVm("fw", { net0: "virtio=BC:24:11:00:00:01,bridge=vmbr0,queues=4", scsi0: "local:1" }));
  const template = { net0: "virtio=BC:24:11:00:00:09,bridge=vmbr0", net3: "virtio=BC:24:11:00:00:08,bridge=vmbr7" };
  pve.vms.set(9000, { ...fakeVm("debian", { ...template, description: "Debian 13\n" }), template: true });
  return pve;
}

const foreign =
  "auto vmbr7\niface vmbr7 inet static\n\taddress 192.168.7.1/24\n\tbridge-ports enp2s0\n\tbridge-stp off\n\tbridge-fd 0\n\tpost-up echo theirs\n#somebody's\n";
const ours =
  "auto vmbr5\niface vmbr5 inet manual\n\tbridge-ports none\n\tbridge-stp off\n\tbridge-fd 0\n#sixgate: of before\n";

/** All that can be changed on the node, as text; without the VMs of these numbers. */
export async function stateOf(pve: FakePve, without: readonly number[] = []): Promise<string> {
  const vms = [...pve.vms].filter(([id]) => !without.includes(id)).toSorted(([a], [b]) => a - b);
  return JSON.stringify({ file: await pve.read(), waits: await pve.staged(), vms: vms.map(shown) }, undefined, 1);
}

function shown([id, { config, sets, ...vm }]: readonly [number, FakeVm]): unknown {
  const sorted = Object.fromEntries(Object.entries(config).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  return { id, ...vm, config: sorted, sets: [...sets] };
}

/** Numbers of the VMs that are not finished. None of them may ever have run, and each says so in its notes. */
export function begunOn(pve: FakePve): readonly number[] {
  return [...pve.vms].flatMap(([id, { config, running }]) => {
    if (!(config["description"] ?? "").startsWith("sixgate: begun from 9000")) return [];
    if (running) expect(config["net0"]).toMatch(/^virtio=(?!BC:24:11)/);
    return [id];
  });
}

/** Another node in the state of this one. */
export async function copyOf(pve: FakePve): Promise<FakePve> {
  const copy = await startPve();
  await copy.write(await pve.read());
  for (const [id, vm] of pve.vms) copy.vms.set(id, structuredClone(vm));
  return copy;
}

const undos = "/run/sixgate/undo";

/** Whether an undo waits for its time. */
export async function isArmed(shell: Shell): Promise<boolean> {
  const names = await shell.list(undos);
  return names.some((name) => name.endsWith(".sh") && names.includes(name.replace(/sh$/, "pid")));
}

/** The time of every undo that somebody waits with is over: it runs to its end. Says how many there were. */
export async function passDeadline(shell: Shell): Promise<number> {
  const ids = (await shell.list(undos)).flatMap((name) => /^(.*)\.sh$/.exec(name)?.[1] ?? []);
  let ran = 0;
  for (const id of ids) {
    const ask = async (verb: string): Promise<{ code: number; stdout: string }> =>
      shell.run(["sh", `${undos}/${id}.watch`, verb, undos, id]);
    if ((await ask("waits")).code !== 0) continue;
    ran++;
    await ask("rollback");
    await expect.poll(async () => (await ask("state")).stdout, { timeout: 60_000 }).toMatch(/^undone 0\n/);
    expect((await ask("forget")).code).toBe(0);
  }
  return ran;
}
