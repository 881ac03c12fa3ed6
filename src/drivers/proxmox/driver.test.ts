import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { layerOf } from "../../../test/conformance/states.ts";
import { type FakePve, startPve } from "../../../test/fakes/pve/index.ts";
import { fakeVm } from "../../../test/fakes/pve/vms.ts";
import { seconds } from "../../base/time.ts";
import { type ChangeSet, keyOf } from "../../change/change-set.ts";
import { diff } from "../../change/diff.ts";
import type { HypervisorDesired } from "../../desired/desired.ts";
import type { ApiWay } from "../../runtime/way.ts";
import { proxmox } from "./driver.ts";
import { withLines } from "./lines.ts";
import { formatNet, parseNet } from "./vms.ts";

const start =
  "auto lo\niface lo inet loopback\n\niface enp1s0 inet manual\n\nauto vmbr7\niface vmbr7 inet manual\n\tbridge-ports none\n#theirs\n";
let pve: FakePve;

beforeEach(async () => {
  pve = await startPve();
  await pve.write(start);
  pve.vms.set(100, fakeVm("fw", { net0: "virtio=BC:24:11:00:00:01,bridge=vmbr0,queues=4" }));
  pve.vms.set(9000, {
    ...fakeVm("debian", {
      net0: "virtio=BC:24:11:00:00:09,bridge=vmbr0",
      net3: "virtio=BC:24:11:00:00:08,bridge=vmbr0",
    }),
    template: true,
  });
});
afterEach(() => pve.stop());

function state(vms = "fw: { id: 100 }", more: readonly string[] = [], variant = {}): HypervisorDesired {
  const api = 'api: { url: "https://127.0.0.1:8006", key: env:TOKEN }';
  return layerOf("hypervisor", "pve", { hypervisor: ["node: pve", api, ...more, `vms: { ${vms} }`], ...variant });
}

async function planned(desired: HypervisorDesired, way: ApiWay): Promise<ChangeSet> {
  const { items, revision } = await proxmox.at(way, desired).observe();
  const { device, layer, driver } = desired;
  return { device, layer, driver, base: revision, changes: diff(items, proxmox.normalize(desired)) };
}

async function applied(desired: HypervisorDesired, way = pve.way()): Promise<void> {
  const pending = await proxmox.at(way, desired).apply(await planned(desired, way), seconds(60));
  await pending.confirm();
}

/** An apply that fails: the error's text, and the file and VM as they are then. */
async function failing(
  desired: HypervisorDesired,
  way = pve.way(),
): Promise<{ text: string; file: string; staged: string | undefined; net0: string | undefined }> {
  const set = await planned(desired, way);
  const text = await proxmox
    .at(way, desired)
    .apply(set, seconds(60))
    .then(
      () => "done",
      (cause: unknown) => String(cause),
    );
  return { text, file: await pve.read(), staged: await pve.staged(), net0: pve.vms.get(100)?.config["net0"] };
}

const asBefore = { staged: undefined, net0: "virtio=BC:24:11:00:00:01,bridge=vmbr0,queues=4" };

test("proxmox gives the firewall VM its three NICs, the provider's MAC on the uplink, and keeps what else is said of them", async () => {
  await applied(state());
  const { net0, net1, net2 } = pve.vms.get(100)?.config ?? {};
  expect(net0).toBe("virtio=00:50:56:00:AB:CD,bridge=vmbr0,queues=4");
  expect(net1).toMatch(
    /^virtio=02(?::[0-9A-F]{2}){5},bridge=vmbr1$|^virtio=(?:[0-9A-F]{2}:){5}[0-9A-F]{2},bridge=vmbr1$/,
  );
  expect(net2).toMatch(/,bridge=vmbr2$/);
  expect(await pve.read()).toContain("#theirs");
});

test("proxmox sends the full set: a change of the address alone keeps gateway, port and the lines of others", async () => {
  await applied(state());
  await pve.write(
    (await pve.read()).replace(
      "address 203.0.113.162/32",
      "address 203.0.113.162/32\n\tmtu 1400\n\tpost-up echo theirs",
    ),
  );
  await applied(state(undefined, [], { main: "203.0.113.163" }));
  const file = await pve.read();
  for (const line of [
    "address 203.0.113.163/32",
    "gateway 203.0.113.129",
    "bridge-ports enp1s0",
    "mtu 1400",
    "post-up echo theirs",
  ])
    expect(file).toContain(line);
});

test("proxmox takes an address away by name, and IPv6 from a bridge that is to be silent", async () => {
  await applied(state(undefined, [], { lan: "10.10.10.5/24" }));
  await pve.write(`${await pve.read()}\niface vmbr1 inet6 static\n\taddress 2001:db8::1/64\n`);
  await applied(state());
  expect(await pve.read()).not.toMatch(/10\.10\.10\.5|inet6|2001:db8/);
});

test("proxmox removes bridges that carry our mark and no others", async () => {
  await pve.write(`${start}\nauto vmbr5\niface vmbr5 inet manual\n\tbridge-ports none\n#sixgate: gone\n`);
  await applied(state());
  const file = await pve.read();
  expect(file).not.toContain("vmbr5");
  expect(file).toContain("iface vmbr7");
});

test("proxmox writes lines that silence bridges over the shell, before the one reload", async () => {
  const desired = state(undefined, ["exec: ssh:root@pve"]);
  await applied(desired, pve.way(undefined, true));
  const file = await pve.read();
  expect(file).toContain("ipv6-addrgen off");
  expect(file).toContain("post-up sysctl -w net.ipv6.conf.vmbr2.disable_ipv6=1");
  expect(pve.seen.filter((call) => call === "PUT /nodes/pve/network")).toHaveLength(1);
  expect(withLines(file, desired)).toBe(file);
});

test("audit says W461 where only the API is there, and nothing with a shell", () => {
  expect(proxmox.audit(state()).map(({ code }) => code)).toEqual(["W461"]);
  expect(proxmox.audit(state(undefined, ["exec: ssh:root@pve"]))).toEqual([]);
});

test("proxmox waits for slow tasks and takes warnings for an end", async () => {
  pve.faults.add("task is slow").add("task warns");
  await applied(state());
  expect((await planned(state(), pve.way())).changes).toEqual([]);
});

test("proxmox refuses to plan while others' edits wait, shows them and leaves them", async () => {
  pve.faults.add("foreign edit");
  await expect(planned(state(), pve.way())).rejects.toThrow(/E580.*\+iface vmbr9 inet manual/s);
  expect(await pve.staged()).toContain("vmbr9");
  expect(await pve.read()).toBe(start);
});

test("proxmox refuses with E581 where the token sees no bridges: hidden is not absent", async () => {
  pve.faults.add("no rights").add("bridges hidden");
  await expect(planned(state(), pve.way())).rejects.toThrow(
    /E581.*SDN\.Audit or SDN\.Use on \/sdn\/zones\/localnetwork\/vmbr0.*VM\.Audit/s,
  );
});

test("proxmox takes its own edits back and keeps others' when somebody edits meanwhile", async () => {
  const desired = state();
  const set = await planned(desired, pve.way());
  pve.faults.add("edit while staging");
  await expect(proxmox.at(pve.way(), desired).apply(set, seconds(60))).rejects.toThrow("E584");
  const staged = await pve.staged();
  expect(staged).toContain("vmbr8");
  expect(staged).not.toContain("vmbr0");
  expect(await pve.read()).toBe(start);
  expect(pve.seen).not.toContain("PUT /nodes/pve/network");
});

test.each(["with", "without"])(
  "proxmox goes back after a task that failed, %s a shell on the node",
  async (shell) => {
    const desired = state(undefined, shell === "with" ? ["exec: ssh:root@pve"] : []);
    const way = pve.way(undefined, shell === "with");
    const set = await planned(desired, way);
    pve.faults.add("task fails");
    // The reload of the way back fails too, which is said: the node has to be looked at.
    await expect(proxmox.at(way, desired).apply(set, seconds(60))).rejects.toThrow(/E515.*no such device/s);
    expect(await pve.read()).not.toContain("vmbr0");
    expect(pve.vms.get(100)?.config["net0"]).toBe(asBefore.net0);
  },
  30_000,
);

test("proxmox says E512 and goes back where a task says OK and nothing came of it", async () => {
  pve.faults.add("reload does nothing");
  const { text, ...rest } = await failing(state());
  expect(text).toMatch(/E512.*"active":false/s);
  expect(rest).toMatchObject(asBefore);
  expect(rest.file).not.toContain("vmbr0");
}, 40_000);

test("proxmox takes bridges back too where a VM is refused", async () => {
  pve.faults.add("modified config");
  const { text, ...rest } = await failing(state(undefined, ["exec: ssh:root@pve"]), pve.way(undefined, true));
  expect(text).toMatch(/E584|E515/);
  expect(rest.net0).toBe(asBefore.net0);
  expect(rest.file).not.toContain("vmbr0");
}, 30_000);

test.each([
  ["596", "E503"],
  ["not json", "E517"],
] as const)(
  "proxmox rejects a read that answers %s with %s",
  async (fault, code) => {
    pve.faults.add(fault);
    await expect(planned(state(), pve.way())).rejects.toThrow(code);
  },
  20_000,
);

test("proxmox says so where the node has no such call, and changes nothing", async () => {
  const set = await planned(state(), pve.way());
  pve.faults.add("501");
  await expect(proxmox.at(pve.way(), state()).apply(set, seconds(60))).rejects.toThrow(/E517.*has no POST/);
  expect(await pve.read()).toBe(start);
});

test("proxmox refuses a wrong token with E582 and a wrong certificate with E551", async () => {
  await expect(planned(state(), pve.way("root@pam!x=1"))).rejects.toThrow("E582");
  await expect(planned(state(), pve.way(undefined, false, "AB".repeat(32)))).rejects.toThrow("E551");
  expect(pve.seen).toEqual([]);
});

test("proxmox never touches a VM of another name, a template, or one that is not there", async () => {
  await expect(planned(state("vm1: { id: 100 }"), pve.way())).rejects.toThrow(/E583.*called "fw", not "vm1"/);
  await expect(planned(state("fw: { id: 9000 }"), pve.way())).rejects.toThrow(/E583.*is a template/);
  await expect(planned(state("fw: { id: 105 }"), pve.way())).rejects.toThrow(/E583.*No VM 105/);
});

test("proxmox clones with the fleet's MACs before the first start, and starts once confirmed", async () => {
  const folder = await mkdtemp(join(tmpdir(), "proxmox-keys-"));
  try {
    const keys = join(folder, "keys.pub");
    await writeFile(keys, "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDM5 someone@example\n");
    const desired = state(`fw: { id: 100 }, vm1: { id: 101, clone: 9000, cloud-init: true, ssh-keys: "${keys}" }`);
    const set = await planned(desired, pve.way());
    expect(set.changes.map(keyOf)).toContain("vm vm1");
    expect(proxmox.consequences?.(set).join()).toMatch(/vm1 is cloned/);
    const pending = await proxmox.at(pve.way(), desired).apply(set, seconds(60));
    const made = pve.vms.get(101);
    expect(made?.running).toBe(false);
    const macs = desired.cluster?.vms.find(({ name }) => name === "vm1")?.nics.map(({ mac }) => mac.toUpperCase());
    expect([made?.config["net0"], made?.config["net1"]]).toEqual([
      `virtio=${macs?.[0]},bridge=vmbr1`,
      `virtio=${macs?.[1]},bridge=vmbr2`,
    ]);
    expect(made?.config["net3"]).toBeUndefined();
    expect(made?.config["ipconfig1"]).toBe("ip6=2001:db8:1234:321d:20::2/80,gw6=2001:db8:1234:321d:20::1");
    expect(decodeURIComponent(made?.config["sshkeys"] ?? "")).toContain("ssh-ed25519");
    await pending.confirm();
    expect(made?.running).toBe(true);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("proxmox leaves a clone that was undone there, stopped", async () => {
  const desired = state("vm1: { id: 101, clone: 9000 }");
  const pending = await proxmox.at(pve.way(), desired).apply(await planned(desired, pve.way()), seconds(60));
  await pending.rollback();
  expect(pve.vms.get(101)?.running).toBe(false);
  expect(await pve.read()).not.toContain("vmbr0");
});

test("proxmox says what waits for a restart, and that the second ring is switched off", async () => {
  const fw = pve.vms.get(100);
  if (fw !== undefined) Object.assign(fw, { running: true, hotplug: false });
  pve.vms.set(101, fakeVm("vm1"));
  pve.cluster.firewall = false;
  const desired = state("fw: { id: 100 }, vm1: { id: 101, anti-spoofing: true }");
  await applied(desired);
  const { notes } = await proxmox.at(pve.way(), desired).observe();
  expect(notes?.join("\n")).toMatch(/fw: net0, net1, net2 in force after a restart/);
  expect(notes?.join("\n")).toMatch(/anti-spoofing is not in force/);
  expect((await planned(desired, pve.way())).changes).toEqual([]);
});

test("proxmox binds a host's NIC to its block, fills the set first and lets the gateway decide what comes in", async () => {
  pve.vms.set(101, fakeVm("vm1"));
  await applied(state("vm1: { id: 101, anti-spoofing: true }"));
  const vm1 = pve.vms.get(101);
  expect(vm1?.sets.get("ipfilter-net1")).toEqual([{ cidr: "2001:db8:1234:321d:20::/76", nomatch: false }]);
  expect(vm1?.firewall).toEqual({ enable: "1", policy_in: "ACCEPT" });
  expect(vm1?.config["net1"]).toMatch(/,firewall=1$/);
  const writes = pve.seen.filter((call) => /firewall/.test(call) && !call.startsWith("GET"));
  expect(writes.at(-1)).toBe("PUT /nodes/pve/qemu/101/firewall/options");
});

test("parseNet and formatNet keep all that is said of a NIC, in both spellings", () => {
  const nic = state().cluster?.vms[0]?.nics[0];
  if (nic === undefined) throw new Error("no NIC");
  expect(formatNet(parseNet("model=e1000,macaddr=BC:24:11:00:00:01,bridge=vmbr9,tag=5,trunks=1;2"), nic)).toBe(
    "e1000=00:50:56:00:AB:CD,bridge=vmbr0,tag=5,trunks=1;2",
  );
  expect(parseNet("virtio,bridge=vmbr0").mac).toBeUndefined();
});

test("proxmox needs the port to be there and free", async () => {
  await pve.write(`${start.replaceAll("bridge-ports none", "bridge-ports enp1s0")}`);
  const set = await planned(state(), pve.way());
  await expect(proxmox.at(pve.way(), state()).apply(set, seconds(60))).rejects.toThrow(/E511.*port of vmbr7/);
  expect(await pve.staged()).toBeUndefined();
});
