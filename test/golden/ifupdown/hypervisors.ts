import type { DeviceName } from "../../../src/base/name.ts";
import type { HypervisorDesired } from "../../../src/desired/desired.ts";
import { address4, interfaceAddress4 } from "../../../src/net/ipv4.ts";

/** The article's hypervisor: uplink, management, and the hosts' public bridge. */
export const hypervisor: HypervisorDesired = {
  layer: "hypervisor",
  device: "pve1" as DeviceName,
  driver: "ifupdown",
  bridges: [
    {
      name: "vmbr0",
      port: "enp5s0",
      address4: interfaceAddress4("203.0.113.162/32"),
      gateway4: address4("203.0.113.129"),
      silent: true,
      comment: "uplink",
    },
    { name: "vmbr1", address4: interfaceAddress4("10.10.10.1/24"), silent: false, comment: "management" },
    { name: "vmbr2", silent: true, comment: "hosts, public" },
  ],
};
