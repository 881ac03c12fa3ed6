import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type FakePve, startPve, token } from "../../test/fakes/pve/index.ts";
import { fakeVm } from "../../test/fakes/pve/vms.ts";
import { importRig, resultOf } from "../../test/import-rig.ts";
import { parseFleet } from "../fleet/parse-fleet.ts";
import { importProxmox } from "./import-proxmox.ts";

const article = `auto lo
iface lo inet loopback

auto vmbr0
iface vmbr0 inet static
	address  203.0.113.162
	netmask  255.255.255.192
	gateway  203.0.113.129
	bridge_ports enp0s31f6
	bridge_stp off
	bridge_fd 0

auto vmbr1
iface vmbr1 inet static
	address 10.10.10.1/24
	bridge-ports none

auto vmbr2
iface vmbr2 inet manual
	bridge-ports none

iface vmbr2 inet6 static
	address 2001:db8:9:8::2/64
`;
const rig = importRig();
let pve: FakePve;
beforeEach(async () => {
  pve = await startPve();
});
afterEach(() => pve.stop());

async function imported(options: Parameters<typeof importProxmox>[0]): Promise<string> {
  return (await resultOf<{ fleet: string }>((terminal) => importProxmox(options, terminal))).fleet;
}

const fileWith = (text: string): Promise<string> => rig.file("interfaces", text);

test("importProxmox reads bridges from a node's file in either spelling, and marks what it guessed", async () => {
  const text = await imported({ file: await fileWith(article) });
  expect(text).toContain("vmbr0: { network: wan, port: enp0s31f6, ipv4: 203.0.113.162/26, gateway: 203.0.113.129 }");
  expect(text).toContain("vmbr1: { network: mgmt, ipv4: 10.10.10.1/24 }  # guess:");
  expect(text).toMatch(/vmbr2: \{ network: lan \} {2}# guess:/);
  expect(text).toMatch(/prefix: 2001:db8:9:8::\/64 {2}# guess: the \/64 around the address of vmbr2/);
  expect(parseFleet(text, "fleet.yaml")).toMatchObject({ ok: true });
});

test("importProxmox points at the article's typing error: a gateway outside the prefix", async () => {
  const text = await imported({
    file: await fileWith(article.replace("gateway  203.0.113.129", "gateway 203.0.13.129")),
  });
  expect(text).toContain("# look: the gateway is outside 203.0.113.128/26");
});

test("importProxmox says so where there is no bridge, no file, or nothing to ask", async () => {
  await expect(imported({ file: await fileWith("auto lo\n") })).rejects.toThrow("E511");
  await expect(imported({ file: rig.path("none") })).rejects.toThrow("E801");
  await expect(imported({})).rejects.toThrow("E802");
});

test("importProxmox finds gateway and hosts among a node's VMs, with their MACs and the order of their NICs", async () => {
  await pve.write(article);
  pve.vms.set(
    100,
    fakeVm("fw", {
      net0: "virtio=00:50:56:00:AB:CD,bridge=vmbr0",
      net1: "virtio=BC:24:11:00:00:02,bridge=vmbr2",
      net2: "virtio=BC:24:11:00:00:03,bridge=vmbr1",
    }),
  );
  pve.vms.set(
    101,
    fakeVm("vm1", { net0: "virtio=BC:24:11:00:00:04,bridge=vmbr1", net1: "e1000=BC:24:11:00:00:05,bridge=vmbr2" }),
  );
  pve.vms.set(102, fakeVm("No Host!\u001b[31m", { net0: "virtio=BC:24:11:00:00:06,bridge=vmbr2" }));
  pve.vms.set(9000, { ...fakeVm("debian", { net0: "virtio=BC:24:11:00:00:09,bridge=vmbr2" }), template: true });
  vi.stubEnv("PVE_TOKEN", token);
  const text = await imported({ api: pve.url, key: "env:PVE_TOKEN", fingerprint: pve.certified.sha256, node: "pve" });
  expect(text).toContain("fw: { id: 100, nics: [uplink, hosts, management] }");
  expect(text).toContain('uplink: { device: eth0, mac: "00:50:56:00:ab:cd" }');
  expect(text).toContain('public: { device: eth1, mac: "bc:24:11:00:00:05" }');
  expect(text).toContain("# VM 102");
  expect(text).not.toContain("\u001b");
  expect(text).not.toMatch(/debian|11111111/);
  const parsed = parseFleet(text, "fleet.yaml");
  expect(parsed.ok ? [] : parsed.errors).toEqual([]);
});
