import { expect, test } from "vitest";
import { walkGuest } from "../../../test/golden/guest-walk.ts";
import { guests } from "../../../test/golden/guests.ts";
import { type Machine, noMachine, reach, startMachine } from "../../../test/machine.ts";
import type { GuestDesired } from "../../desired/desired.ts";
import { networkdLog, startNetworkd } from "../../lab/node-networkd.ts";
import { networkd } from "./driver.ts";

const reason = await noMachine(["networkctl", "dbus-daemon"]);

function guest(name: string): GuestDesired {
  const desired = guests("networkd").get(name);
  if (desired === undefined) throw new Error(`No case ${name}`);
  return desired;
}

async function machine(desired: GuestDesired): Promise<Machine> {
  const at = await startMachine("vm", desired.links);
  try {
    await startNetworkd(at.shell);
    return at;
  } catch (cause) {
    await at.stop();
    throw cause;
  }
}

walkGuest(networkd, "networkd", guest("host"), reason, () => machine(guest("host")));

for (const name of ["gateway", "on-link"]) {
  test.skipIf(reason !== undefined)(
    `networkd driver reaches the case ${name} and networkd complains of nothing`,
    async () => {
      const at = await machine(guest(name));
      try {
        await reach(networkd, at.shell, guest(name));
        const log = (await at.shell.read(networkdLog)) ?? "";
        expect(log.replaceAll(/^dbus-daemon.*\n/gm, "")).not.toMatch(/unknown|ignoring|invalid|failed to parse/i);
      } finally {
        await at.stop();
      }
    },
    60_000,
  );
}
