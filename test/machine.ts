import { expect } from "vitest";
import { seconds } from "../src/base/time.ts";
import type { ChangeSet } from "../src/change/change-set.ts";
import { diff } from "../src/change/diff.ts";
import type { Desired } from "../src/desired/desired.ts";
import type { DriverKind, Pending } from "../src/drivers/driver.ts";
import { runProcess } from "../src/runtime/process.ts";
import type { Ran, Shell } from "../src/runtime/shell.ts";
import { inHolder } from "./holder.ts";

/** A machine for one test: namespaces and an /etc of its own. */
export type Machine = { readonly shell: Shell; sh(script: string): Promise<Ran>; stop(): Promise<void> };

/** Why machines can't be had here, printed once; undefined when they can. `programs`: what the test needs besides. */
export async function noMachine(programs: readonly string[]): Promise<string | undefined> {
  const missing: string[] = [];
  for (const program of programs) {
    if ((await runProcess("local", ["sh", "-c", 'command -v "$1"', "sh", program])).code !== 0) missing.push(program);
  }
  const probe = await runProcess("local", ["unshare", "--net", "--mount", "--uts", "--pid", "--fork", "true"]).catch(
    () => undefined,
  );
  const reasons = [
    ...missing.map((program) => `${program} is not installed`),
    ...(probe?.code === 0 ? [] : ["namespaces need root"]),
  ];
  if (reasons.length === 0) return undefined;
  console.log(`skipped: ${reasons.join(", ")}`);
  return reasons.join(", ");
}

/** `links` are born as veth pairs, up, with their other ends (`x-NAME`) in the same machine. */
export async function startMachine(
  name: string,
  links: readonly { readonly name: string; readonly mac?: string | undefined }[],
): Promise<Machine> {
  return inHolder(name, async ({ shell, stop }) => {
    const sh = (script: string): Promise<Ran> => shell.run(["sh", "-eu", "-c", script], { timeout: 60_000 });
    for (const { name: link, mac } of links) {
      const address = mac === undefined ? "" : `address ${mac}`;
      const made = await sh(
        `ip link add ${link} ${address} type veth peer name x-${link}; ip link set x-${link} up; ip link set ${link} up`,
      );
      if (made.code !== 0) throw new Error(made.stderr);
    }
    return { shell, sh, stop };
  });
}

/** What is to be done on the machine, from a fresh look at it. */
export async function planFor<D extends Desired>(kind: DriverKind<D>, shell: Shell, desired: D): Promise<ChangeSet> {
  const { items, revision } = await kind.at(shell, desired).observe();
  const { device, layer } = desired;
  return { device, layer, driver: kind.name, base: revision, changes: diff(items, kind.normalize(desired)) };
}

export async function applyPlan<D extends Desired>(
  kind: DriverKind<D>,
  shell: Shell,
  desired: D,
  within = 60,
): Promise<Pending> {
  return kind.at(shell, desired).apply(await planFor(kind, shell, desired), seconds(within));
}

/** Applies, confirms, and looks again: the second plan is empty. */
export async function reach<D extends Desired>(kind: DriverKind<D>, shell: Shell, desired: D): Promise<void> {
  await (await applyPlan(kind, shell, desired)).confirm();
  expect((await planFor(kind, shell, desired)).changes).toEqual([]);
}
