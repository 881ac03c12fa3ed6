const all = (types: string, rest: string): readonly string[] =>
  types.split(" ").map((type) => rest.replace("TYPE", type));
const own = (direction: string, places: string, types: string): readonly string[] =>
  all(
    types,
    `pass ${direction}quick inet6 proto ipv6-icmp ${places} icmp6-type TYPE keep state ridentifier 1000000107 label "descr=ICMPv6 operation"`,
  );
const near = "routersol routeradv neighbrsol neighbradv";

/** The rules that pfSense 2.8 makes by itself, as pf prints them. */
export const automatic: readonly string[] = [
  'block drop in log quick inet6 from any to <_nat64reserved_:12> ridentifier 1000000001 label "descr=Block NAT64 for non-global IPv4"',
  'block drop in log quick inet from 169.254.0.0/16 to any ridentifier 1000000101 label "descr=Block IPv4 link-local"',
  'block drop in log inet all ridentifier 1000000103 label "descr=Default deny rule IPv4"',
  'block drop in log inet6 all ridentifier 1000000105 label "descr=Default deny rule IPv6"',
  'block drop out log inet6 all ridentifier 1000000106 label "descr=Default deny rule IPv6"',
  ...own("", "all", "unreach toobig neighbrsol neighbradv"),
  ...own("out ", "from fe80::/10 to fe80::/10", `echorep ${near}`),
  ...own("out ", "from fe80::/10 to ff02::/16", `echorep ${near}`),
  ...own("in ", "from fe80::/10 to fe80::/10", `echoreq ${near}`),
  ...own("in ", "from fe80::/10 to ff02::/16", `echoreq ${near}`),
  'block drop log quick inet6 proto tcp from any port = 0 to any ridentifier 1000000116 label "descr=Block traffic from port 0"',
  'block drop log quick inet6 proto udp from any to any port = 0 ridentifier 1000000117 label "descr=Block traffic to port 0"',
  'block drop log quick from <snort2c:0> to any ridentifier 1000000118 label "descr=Block snort2c hosts"',
  'block drop in log quick proto tcp from <sshguard:0> to (self:6) port = 22 ridentifier 1000000301 label "descr=sshguard"',
  'block drop out quick proto udp from any port = 67 to any port = 68 tagged "dhcpin" ridentifier 1000000451 label "descr=Prevent routing dhcp responses"',
  'block drop in log on ! vtnet0 inet6 from 2001:db8:10ff:1:10::/80 to any ridentifier 1000001471 label "descr=antispoof protection"',
  'pass in on lo0 inet6 all flags S/SA keep state (if-bound) ridentifier 1000003613 label "descr=pass IPv6 loopback"',
  'pass out inet6 all flags S/SA keep state (if-bound) allow-opts ridentifier 1000003616 label "descr=let out anything IPv6 from firewall host itself"',
  'pass out route-to (vtnet0 fe80::1) inet6 from 2001:db8:10ff:1:10::1 to ! 2001:db8:10ff:1:10::/80 flags S/SA keep state (if-bound) allow-opts ridentifier 1000003712 label "descr=let out anything from firewall host itself"',
  'anchor "userrules/*" all {\n}',
];
