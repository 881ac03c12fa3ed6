import type { HypervisorDesired } from "../../src/desired/desired.ts";
import { proxmox } from "../../src/drivers/proxmox/driver.ts";
import { startPve } from "../fakes/pve/index.ts";
import { fakeVm } from "../fakes/pve/vms.ts";
import type { Target } from "./bench.ts";
import { layerOf } from "./states.ts";

const foreignStanza =
  "auto vmbr7\niface vmbr7 inet static\n\taddress 192.168.7.1/24\n\tbridge-ports enp2s0\n\tbridge-stp off\n\tbridge-fd 0\n\tpost-up echo theirs\n#somebody's\n";
const foreignNic = "e1000=BC:24:11:AA:BB:CC,bridge=vmbr7";

/** Three VMs: the gateway on vmbr0 to vmbr2, hosts on vmbr1 and vmbr2, the first one's addresses bound by Proxmox itself. */
const vms = "fw: { id: 100 }, vm1: { id: 101, anti-spoofing: true, cloud-init: true }, vm2: { id: 102 }";
const more = [
  "node: pve",
  "exec: ssh:root@pve",
  'api: { url: "https://127.0.0.1:8006", key: env:TOKEN }',
  `vms: { ${vms} }`,
];

export const proxmoxTarget: Target<HypervisorDesired> = {
  name: "proxmox (fake)",
  states: [
    layerOf("hypervisor", "pve", { hypervisor: more }),
    layerOf("hypervisor", "pve", { hypervisor: more, lan: "10.10.10.5/24" }),
    layerOf("hypervisor", "pve", { hypervisor: more, main: "203.0.113.163", lan: "10.10.10.6/24" }),
  ],
  missing: async () => undefined,
  async open() {
    const pve = await startPve();
    await pve.write(
      `auto lo\niface lo inet loopback\n\niface enp1s0 inet manual\n\niface enp2s0 inet manual\n\n${foreignStanza}\n`,
    );
    // As somebody made them by hand: MACs of chance, and a NIC more than the fleet has.
    pve.vms.set(
      100,
      fakeVm("fw", { net0: "virtio=BC:24:11:00:00:01,bridge=vmbr0,queues=4", net5: foreignNic, scsi0: "local:1" }),
    );
    pve.vms.set(101, fakeVm("vm1", { net0: "virtio=BC:24:11:00:00:02,bridge=vmbr1" }));
    pve.vms.set(102, fakeVm("vm2", { net0: "virtio=BC:24:11:00:00:03,bridge=vmbr1,tag=5" }));
    const way = pve.way(undefined, true);
    return {
      kind: proxmox,
      way,
      async foreign() {
        const text = await pve.read();
        const { net5, scsi0 } = pve.vms.get(100)?.config ?? {};
        return `${text.includes(foreignStanza) ? foreignStanza : text}${net5}${scsi0}`;
      },
      async meddle() {
        await pve.write((await pve.read()).replace("203.0.113.162/32", "203.0.113.170/32"));
      },
      blind: (desired) => [
        proxmox.at(pve.way("root@pam!other=1"), desired),
        proxmox.at({ ...way, http: { ...way.http, send: async () => ({ status: 200, text: "{}" }) } }, desired),
        proxmox.at({ ...way, http: { ...way.http, send: async () => ({ status: 596, text: "" }) } }, desired),
      ],
      close: () => pve.stop(),
    };
  },
};
