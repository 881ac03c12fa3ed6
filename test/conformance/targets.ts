import type { Desired } from "../../src/desired/desired.ts";
import type { Target } from "./bench.ts";
import { bridgesTarget } from "./target-bridges.ts";
import { dockerTarget } from "./target-docker.ts";
import { ifupdownGuestTarget, netplanTarget, networkdTarget } from "./target-guest.ts";
import { hetznerTarget } from "./target-hetzner.ts";
import { memoryTarget } from "./target-memory.ts";
import { nftablesTarget } from "./target-nftables.ts";
import { opnsenseTarget } from "./target-opnsense.ts";
import { pfsenseTarget } from "./target-pfsense.ts";
import { proxmoxTarget } from "./target-proxmox.ts";

/** Everybody who is judged, by the name of the test file that does it. A new driver adds its line and its file. */
export const targets: Readonly<Record<string, Pick<Target<Desired>, "name" | "states">>> = {
  memory: memoryTarget,
  nftables: nftablesTarget,
  networkd: networkdTarget,
  netplan: netplanTarget,
  "ifupdown-guest": ifupdownGuestTarget,
  "ifupdown-bridges": bridgesTarget,
  docker: dockerTarget,
  proxmox: proxmoxTarget,
  opnsense: opnsenseTarget,
  pfsense: pfsenseTarget,
  hetzner: hetznerTarget,
};
