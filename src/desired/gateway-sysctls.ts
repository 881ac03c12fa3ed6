import type { SysctlDesired } from "./network.ts";

const netfilter = "net.netfilter.nf_conntrack_";
const transitory = ["syn_sent", "syn_recv", "fin_wait", "close_wait", "last_ack", "time_wait"];
/** `closed` is also what the kernel calls an association of which it has seen no more than the INIT. */
const sctpTransitory = [
  "closed",
  "cookie_wait",
  "cookie_echoed",
  "shutdown_sent",
  "shutdown_recd",
  "shutdown_ack_sent",
];

/**
 * Kernel settings of a Linux gateway. The timers are RFC 6092's, which the kernel's own fall short of; its TCP timer
 * for established connections (432,000 s) is long enough (REC-35: 7,440 s). Not here: nf_conntrack_max, which counts
 * for the machine and can't be set in a namespace.
 */
export function gatewaySysctls(of: {
  readonly uplink: string;
  readonly forward4: boolean;
  readonly onLink: boolean;
}): readonly SysctlDesired[] {
  // In a dotted key a dot of an interface's name is written as a slash, sysctl.d(5).
  const uplink = of.uplink.replaceAll(".", "/");
  return [
    {
      key: "net.ipv6.conf.all.forwarding",
      value: "1",
      why: "a router; a setting per interface alone forwards nothing",
    },
    ...(of.forward4 ? [{ key: "net.ipv4.ip_forward", value: "1", why: "the management LAN goes out by NAT" }] : []),
    ...hardened,
    {
      key: `${netfilter}tcp_loose`,
      value: "0",
      why: "a connection that was cut must not come back by its next packet",
    },
    { key: `${netfilter}udp_timeout`, value: "120", why: "RFC 6092 REC-14: two minutes at least" },
    { key: `${netfilter}udp_timeout_stream`, value: "300", why: "RFC 6092 REC-14: five minutes by default" },
    ...transitory.map((state) => ({
      key: `${netfilter}tcp_timeout_${state}`,
      value: "240",
      why: "RFC 6092 REC-35: four minutes at least while a connection opens or closes",
    })),
    {
      key: `${netfilter}sctp_timeout_established`,
      value: "7440",
      why: "RFC 6092 REC-40: two hours and four minutes at least",
    },
    ...sctpTransitory.map((state) => ({
      key: `${netfilter}sctp_timeout_${state}`,
      value: "240",
      why: "RFC 6092 REC-40: four minutes at least while an association opens or closes",
    })),
    ...(of.onLink ? onLink(uplink) : []),
  ];
}

/** What holds for every machine that sixgate numbers: nothing a neighbour says changes its routes or addresses. */
export const hardened: readonly SysctlDesired[] = ["all", "default"].flatMap((scope) => [
  {
    key: `net.ipv6.conf.${scope}.accept_ra`,
    value: "0",
    why: "routes come from the fleet, never from a router advertisement",
  },
  { key: `net.ipv6.conf.${scope}.accept_redirects`, value: "0", why: "no neighbour moves a route" },
  { key: `net.ipv6.conf.${scope}.use_tempaddr`, value: "0", why: "one fixed address, the one that rules speak of" },
]);

function onLink(uplink: string): readonly SysctlDesired[] {
  return [
    {
      key: `net.ipv6.conf.${uplink}.proxy_ndp`,
      value: "1",
      why: "on-link provider: answer for the addresses behind us",
    },
    {
      key: `net.ipv6.neigh.${uplink}.proxy_delay`,
      value: "0",
      why: "the first packet does not wait up to 0.8 s for that answer",
    },
  ];
}
