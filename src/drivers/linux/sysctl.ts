import { printable } from "../../base/printable.ts";
import type { GuestDesired } from "../../desired/desired.ts";
import type { LinkDesired, SysctlDesired } from "../../desired/network.ts";
import type { RenderedFile } from "../driver.ts";

/** The only file in which sixgate says kernel settings of a machine's network; systemd-sysctl(8) reads it at boot. */
export const sysctlPath = "/etc/sysctl.d/60-sixgate.conf";

/**
 * All kernel settings of a machine: the fleet's, then what holds for each of its links. IPv6AcceptRA= and the like
 * speak for one tool; these hold whichever tool runs, so that they are also what is looked at for drift.
 */
export function sysctlsOf(desired: GuestDesired): readonly SysctlDesired[] {
  const said = new Set(desired.sysctls.map(({ key }) => key));
  return [...desired.sysctls, ...desired.links.flatMap(sysctlsOfLink)].filter(
    ({ key }, place) => place < desired.sysctls.length || !said.has(key),
  );
}

/** What holds for one link, by whatever tool it is made. */
export function sysctlsOfLink({ name, proxies }: LinkDesired): readonly SysctlDesired[] {
  // In a dotted key a dot of the interface's name is written as a slash, sysctl.d(5).
  const link = name.replaceAll(".", "/");
  const conf = `net.ipv6.conf.${link}`;
  const always = [
    {
      key: `${conf}.accept_ra`,
      value: "0",
      why: "routes come from the fleet, never from a neighbour's router advertisement",
    },
    {
      key: `${conf}.addr_gen_mode`,
      value: "0",
      why: "link-local by EUI-64: the address that the next router sends to",
    },
  ];
  if (proxies.length === 0) return always;
  return [
    ...always,
    {
      key: `${conf}.proxy_ndp`,
      value: "1",
      why: "the provider does not route: answer for the addresses behind this machine",
    },
    {
      key: `net.ipv6.neigh.${link}.proxy_delay`,
      value: "0",
      why: "answer for proxied addresses at once, not after up to 0.8 s",
    },
  ];
}

/** Where /proc shows a key in dots: dots become slashes, and slashes (of interface names) dots. */
export function procPath(key: string): string {
  return `/proc/sys/${key.replaceAll(/[./]/g, (mark) => (mark === "." ? "/" : "."))}`;
}

/** Values of several numbers are apart by tabs in /proc and by blanks in files. */
export function sysctlValue(text: string): string {
  return text.trim().split(/\s+/).join(" ");
}

export function sysctlFile(desired: GuestDesired): RenderedFile {
  const entries = sysctlsOf(desired).map(
    ({ key, value, why }) => `# ${printable(why)}\n${printable(key)} = ${printable(sysctlValue(value))}\n`,
  );
  return {
    path: sysctlPath,
    text: [
      "# Kernel settings of this machine's network. Written by sixgate; changes made here are taken back.\n",
      ...entries,
    ].join("\n"),
  };
}
