// Words that nft prints for numbers where it is not told to print numbers, and those that it prints all the same.

export type Names = Readonly<Record<string, number>>;

export const protocolNames: Names = {
  icmp: 1,
  igmp: 2,
  tcp: 6,
  udp: 17,
  dccp: 33,
  gre: 47,
  esp: 50,
  ah: 51,
  icmpv6: 58,
  "ipv6-icmp": 58,
  ospf: 89,
  ipip: 94,
  comp: 108,
  vrrp: 112,
  sctp: 132,
  udplite: 136,
  // As `ip6 nexthdr` has them.
  hopopt: 0,
  "ipv6-route": 43,
  "ipv6-frag": 44,
  "ipv6-nonxt": 59,
  "ipv6-opts": 60,
};

export const messageNames: Names = {
  "destination-unreachable": 1,
  "packet-too-big": 2,
  "time-exceeded": 3,
  "parameter-problem": 4,
  "echo-request": 128,
  "echo-reply": 129,
  "mld-listener-query": 130,
  "mld-listener-report": 131,
  "mld-listener-done": 132,
  "mld-listener-reduction": 132,
  "nd-router-solicit": 133,
  "nd-router-advert": 134,
  "nd-neighbor-solicit": 135,
  "nd-neighbor-advert": 136,
  "nd-redirect": 137,
  "router-renumbering": 138,
  "ind-neighbor-solicit": 141,
  "ind-neighbor-advert": 142,
  "mld2-listener-report": 143,
};

export const codeNames: Names = {
  "no-route": 0,
  "admin-prohibited": 1,
  "addr-unreachable": 3,
  "port-unreachable": 4,
  "policy-fail": 5,
  "reject-route": 6,
};

export const flagNames: Names = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16, urg: 32, ecn: 64, cwr: 128 };

export const stateNames: Names = { invalid: 1, established: 2, related: 4, new: 8, untracked: 64 };

export const statusNames: Names = {
  expected: 1,
  "seen-reply": 2,
  assured: 4,
  confirmed: 8,
  snat: 16,
  dnat: 32,
  dying: 512,
};

export const dscpNames: Names = {
  cs0: 0,
  cs1: 8,
  cs2: 16,
  cs3: 24,
  cs4: 32,
  cs5: 40,
  cs6: 48,
  cs7: 56,
  df: 0,
  be: 0,
  lephb: 1,
  af11: 10,
  af12: 12,
  af13: 14,
  af21: 18,
  af22: 20,
  af23: 22,
  af31: 26,
  af32: 28,
  af33: 30,
  af41: 34,
  af42: 36,
  af43: 38,
  va: 44,
  ef: 46,
};

export const familyNames: Names = { ipv4: 2, ipv6: 10 };
/** EtherTypes; with numbers on, nft 1.0 prints them in the machine's byte order. */
export const etherNames: Names = { ip: 0x0800, arp: 0x0806, ip6: 0x86dd, vlan: 0x8100 };
export const directionNames: Names = { original: 0, reply: 1 };
/** Kinds of destinations of a route (RTN_…). */
export const routeNames: Names = {
  unspec: 0,
  unicast: 1,
  local: 2,
  broadcast: 3,
  anycast: 4,
  multicast: 5,
  blackhole: 6,
  unreachable: 7,
  prohibit: 8,
};
