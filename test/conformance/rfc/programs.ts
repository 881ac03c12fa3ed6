import type { Program } from "../../../src/lab/programs.ts";

/** Those who attack, and look who gets through. scripts/test.sh installs the same. */
export const attackers: readonly Program[] = [
  { name: "scapy3", debian: "python3-scapy" },
  { name: "atk6-firewall6", debian: "thc-ipv6" },
  { name: "frag6", debian: "ipv6toolkit" },
  { name: "nmap", debian: "nmap" },
];
