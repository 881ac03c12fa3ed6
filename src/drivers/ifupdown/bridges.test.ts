import { expect, test } from "vitest";
import { hypervisor } from "../../../test/golden/ifupdown/hypervisors.ts";
import { applyPlan, type Machine, noMachine, planFor, reach, startMachine } from "../../../test/machine.ts";
import { keyOf } from "../../change/change-set.ts";
import type { HypervisorDesired } from "../../desired/desired.ts";
import { ifupdown2Tree, startIfupdown2 } from "../../lab/ifupdown2.ts";
import { ifupdownBridges } from "./driver.ts";

const reason = (await noMachine(["apt-get", "dpkg-deb", "python3", "bridge"])) ?? (await noPackage());

async function noPackage(): Promise<string | undefined> {
  try {
    await tree();
    return undefined;
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    console.log(`skipped: ${text}`);
    return text;
  }
}

function tree(): Promise<string> {
  return ifupdown2Tree((line) => console.log(line));
}

/** A hypervisor with an uplink that nothing configures yet, and ifupdown2. */
async function machine(): Promise<Machine> {
  const at = await startMachine("pve", [{ name: "enp5s0" }, { name: "enp6s0" }]);
  try {
    await startIfupdown2(at.shell, await tree());
    return at;
  } catch (cause) {
    await at.stop();
    throw cause;
  }
}

const plug = `ip link add tap100i0 type veth peer name vm100; ip link set tap100i0 master vmbr2 up; ip link set vm100 up
bridge link set dev tap100i0 isolated on
ip link add fwpr101p0 type veth peer name vm101; ip link set fwpr101p0 master vmbr1 up; ip link set vm101 up`;
const plugged = "bridge -d link show dev tap100i0; bridge -d link show dev fwpr101p0; ip -br link show dev tap100i0";

test.skipIf(reason !== undefined)(
  "ifupdownBridges driver makes the bridges, repairs them and leaves VMs plugged in",
  async () => {
    const at = await machine();
    try {
      await reach(ifupdownBridges, at.shell, hypervisor);
      expect((await at.sh(plug)).stderr).toBe("");
      expect((await planFor(ifupdownBridges, at.shell, hypervisor)).changes).toEqual([]);
      const before = (await at.sh(plugged)).stdout;
      expect(before).toMatch(/master vmbr2[^]*isolated on[^]*master vmbr1/);

      await at.sh(
        "ip link set enp5s0 nomaster; ip addr del 10.10.10.1/24 dev vmbr1; sysctl -qw net.ipv6.conf.vmbr2.disable_ipv6=0; ip addr add fe80::2/64 dev vmbr2 nodad",
      );
      const keys = (await planFor(ifupdownBridges, at.shell, hypervisor)).changes.map(keyOf);
      expect(keys).toEqual(
        expect.arrayContaining([
          "bridge vmbr0",
          "bridge vmbr1",
          "bridge vmbr2",
          "sysctl net.ipv6.conf.vmbr2.disable_ipv6",
        ]),
      );
      await reach(ifupdownBridges, at.shell, hypervisor);
      expect((await at.sh(plugged)).stdout).toBe(before);
      expect((await at.sh("ip -6 -br addr show")).stdout).not.toMatch(/^vmbr[02] /m);
    } finally {
      await at.stop();
    }
  },
  120_000,
);

test.skipIf(reason !== undefined)(
  "ifupdownBridges driver goes back unless confirmed, VMs plugged in",
  async () => {
    const at = await machine();
    const moved: HypervisorDesired = {
      ...hypervisor,
      bridges: hypervisor.bridges.map((bridge) => (bridge.name === "vmbr0" ? { ...bridge, port: "enp6s0" } : bridge)),
    };
    try {
      // As many Debian hypervisors are: without the line that keeps VMs plugged in.
      const { text } = ifupdownBridges.render(hypervisor)[0] ?? { text: "" };
      await at.shell.write(
        "/etc/network/interfaces",
        text.replaceAll(/^\t(?:bridge-ports-condone-regex|ipv6-addrgen|post-up).*\n/gm, "").replaceAll(/^#.*\n/gm, ""),
      );
      expect((await at.sh("ifreload -a")).code).toBe(0);
      expect((await at.sh(plug)).stderr).toBe("");
      const file = await at.shell.read("/etc/network/interfaces");
      const before = (await at.sh(plugged)).stdout;

      await applyPlan(ifupdownBridges, at.shell, moved, 8); // and nobody confirms
      expect((await at.sh("ip -br link show master vmbr0")).stdout).toMatch(/^enp6s0/);
      await expect.poll(() => at.shell.read("/etc/network/interfaces"), { timeout: 30_000, interval: 500 }).toBe(file);
      await expect
        .poll(async () => (await at.sh("ip -br link show master vmbr0")).stdout, { timeout: 15_000, interval: 500 })
        .toMatch(/^enp5s0/);
      await expect.poll(async () => (await at.sh(plugged)).stdout, { timeout: 15_000, interval: 500 }).toBe(before);
      await reach(ifupdownBridges, at.shell, moved);
      expect((await at.sh("ip -br link show master vmbr0")).stdout).toMatch(/^enp6s0/);
      expect((await at.sh(plugged)).stdout).toBe(before);
    } finally {
      await at.stop();
    }
  },
  120_000,
);

test.skipIf(reason !== undefined)(
  "ifupdownBridges driver changes nothing where an uplink is missing",
  async () => {
    const at = await machine();
    const missing: HypervisorDesired = {
      ...hypervisor,
      bridges: [{ name: "vmbr0", port: "eno9", silent: true, comment: "" }],
    };
    try {
      await expect(applyPlan(ifupdownBridges, at.shell, missing)).rejects.toThrow(/E511 No interface "eno9" for vmbr0/);
      expect(await at.shell.read("/etc/network/interfaces")).toBeUndefined();
    } finally {
      await at.stop();
    }
  },
  60_000,
);
