import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { walkGuest } from "../../../test/golden/guest-walk.ts";
import { guests } from "../../../test/golden/guests.ts";
import { type Machine, noMachine, startMachine } from "../../../test/machine.ts";
import { startNetworkd } from "../../lab/node-networkd.ts";
import { writeText } from "../../runtime/files.ts";
import { runProcess } from "../../runtime/process.ts";
import { netplan } from "./driver.ts";

const cases = guests("netplan");
const host = cases.get("host");
if (host === undefined) throw new Error("No case host");
const { links } = host;
const reason = await noMachine(["netplan", "networkctl", "dbus-daemon"]);

async function machine(): Promise<Machine> {
  // Found by name: netplan's own match by MAC wants hardware.
  const at = await startMachine("vm", links);
  try {
    await startNetworkd(at.shell);
    return at;
  } catch (cause) {
    await at.stop();
    throw cause;
  }
}

walkGuest(netplan, "netplan", host, reason, machine);

for (const [name, desired] of cases) {
  test.skipIf(reason !== undefined)(`netplan generate takes the case ${name}`, async () => {
    const root = await mkdtemp(join(tmpdir(), "sixgate-netplan-"));
    try {
      for (const { path, text, mode } of netplan.render(desired)) await writeText(root + path, text, mode);
      const ran = await runProcess("local", ["netplan", "generate", "--root-dir", root]);
      // netplan 1.1 asks systemd to read again, also for files elsewhere: that it is not there is no word on them.
      const said = ran.stderr
        .split("\n")
        .filter((line) => !/systemd|systemctl|reload request|system scope bus/.test(line));
      expect({ ...ran, stderr: said.join("\n") }).toEqual({ code: 0, stdout: "", stderr: "" });
      const [first] = desired.links;
      const made = await runProcess("local", [
        "cat",
        `${root}/run/systemd/network/10-netplan-${first?.name ?? ""}.network`,
      ]);
      expect(made.stdout).toContain("Type=unreachable");
      expect(made.stdout).toContain("IPv6AcceptRA=no");
      expect(made.stdout).not.toContain("Gateway=::\n");
    } finally {
      await rm(root, { recursive: true });
    }
  });
}
