/** What a template is filled with. */
export type Answers = { readonly prefix: string; readonly name: string; readonly mac: string };

export type Template = { readonly title: string; readonly text: (answers: Answers) => string };

const head = (
  name: string,
  what: string,
  prefix: string,
): string => `# yaml-language-server: $schema=./fleet.schema.json
# $schema: ./fleet.schema.json
# ${what}
# \`sixgate explain FIELD\` says what a field means; \`sixgate validate\` checks this file.
sixgate: 1
fleet: ${name}
prefix: ${prefix}
`;

// Both are what a fleet that says nothing gets; written out, so that nobody has to know.
const policy = `policy:
  between-hosts: closed     # closed: a host reaches another only through an opening; open: as in one LAN
  egress: open              # open: containers reach the Internet with their own addresses
  # What containers may open by their labels, and people by hand; nothing without it, and without a controller:
  # allow:
  #   - { ports: [80, 443, 443/udp, ping], from: any }
# controller: {}
`;

/** The fleet files that \`init\` writes. Each is parsed by a test with the answers' defaults. */
export const templates: Readonly<Record<string, Template>> = {
  home: {
    title:
      "a hypervisor with bridges, a gateway VM, Docker VMs behind it; the provider routes the prefix to the gateway's MAC",
    text: ({
      name,
      prefix,
      mac,
    }) => `${head(name, "A rented server: hypervisor, gateway VM, Docker VMs.", prefix)}provider: { name: hetzner, delivery: routed, next-hop: "fe80::1" }
networks:
  wan:  { role: uplink }
  mgmt: { role: management, ipv4: 10.10.10.0/24 }
  lan:  { role: hosts }
hypervisors:
  pve1:
    kind: proxmox
    bridges:
      vmbr0: { network: wan, port: enp0s31f6 }   # the physical port
      vmbr1: { network: mgmt }
      vmbr2: { network: lan }                    # the hypervisor itself gets no address here
gateway:
  name: fw
  kind: nftables
  on: pve1
  uplink:     { network: wan, device: eth0, mac: "${mac}" }   # the MAC that the provider registered for the gateway
  management: { network: mgmt, device: eth1, ipv4: 10.10.10.2/24 }
  hosts:      { network: lan, device: eth2 }
  admins: [10.10.10.0/24]
hosts:
  vm1:
    on: pve1
    slot: 2                                      # the third block of the prefix; pinned, so it never moves
    management: { device: eth0, ipv4: 10.10.10.11/24 }
    public: { device: eth1 }
    docker:
      engine: "28.5"
      profile: routed
      networks: { web: {} }
      containers: { www: { network: web, address: "::80" } }
${policy}openings:
  - { to: vm1/www, ports: [80, 443], from: any }
`,
  },
  vps: {
    title: "one gateway machine and one Docker host, the prefix on the link (neighbour discovery, no route)",
    text: ({
      name,
      prefix,
      mac,
    }) => `${head(name, "A provider that puts the prefix on the link: the gateway answers for each address.", prefix)}provider: { name: provider, delivery: on-link, next-hop: "fe80::1" }
networks:
  wan: { role: uplink }
  lan: { role: hosts }
gateway:
  name: gw
  kind: nftables
  reach: local
  uplink: { network: wan, device: eth0, mac: "${mac}" }
  hosts:  { network: lan, device: br-lan, mac: "02:00:00:00:00:01" }
  admins: []
hosts:
  app1:
    slot: 2
    public: { device: eth0, mac: "02:00:00:00:00:02" }   # the gateway binds the host's block to this MAC
    docker:
      engine: "28.5"
      profile: routed
      networks: { web: {} }
      containers: { www: { network: web, address: "::80" } }
${policy}openings:
  - { to: app1/www, ports: [443], from: any }
`,
  },
};
