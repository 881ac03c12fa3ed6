/** What a driver is judged against, and what that can't show. */
export type Against = {
  /** `real`: the product's own programs and kernel; `fake`: a stand-in for it; `reference`: no device at all. */
  readonly level: "real" | "fake" | "reference";
  readonly what: string;
  readonly notRun: string;
  /** Test files from the project's folder: the suite, and those that switch the faults on. */
  readonly files: readonly string[];
};

const suite = (name: string): string => `test/conformance/${name}.test.ts`;

/** By target, as test/conformance/targets.ts names them; beside them the one device that has a suite of its own. */
export const against: Readonly<Record<string, Against>> = {
  memory: {
    level: "reference",
    what: "the contract itself, in memory",
    notRun: "nothing: there is no device",
    files: [suite("memory")],
  },
  nftables: {
    level: "real",
    what: "nft, conntrack and the kernel of the machine that ran it, in namespaces",
    notRun: "other kernels",
    files: [suite("nftables"), suite("lane-nftables"), suite("lane-nftables-programs")],
  },
  networkd: {
    level: "real",
    what: "systemd-networkd of the machine that ran it, in namespaces",
    notRun: "other versions of systemd",
    files: [suite("networkd")],
  },
  netplan: {
    level: "real",
    what: "netplan and systemd-networkd of the machine that ran it, in namespaces",
    notRun: "other versions of netplan",
    files: [suite("netplan")],
  },
  "ifupdown-guest": {
    level: "real",
    what: "ifupdown2 in namespaces",
    notRun: "classic ifupdown, which src/drivers/ifupdown/guest.test.ts asks",
    files: [suite("ifupdown-guest")],
  },
  "ifupdown-bridges": {
    level: "real",
    what: "ifupdown2 in namespaces",
    notRun: "a machine with physical ports",
    files: [suite("ifupdown-bridges")],
  },
  docker: {
    level: "real",
    what: "the Docker engine of the machine that ran it, in namespaces",
    notRun: "other engines; the files for them are in test/golden/docker",
    files: [suite("docker")],
  },
  proxmox: {
    level: "fake",
    what: "a fake of its API (test/fakes/pve)",
    notRun: "Proxmox VE",
    files: [suite("proxmox"), "src/drivers/proxmox/driver.test.ts"],
  },
  opnsense: {
    level: "fake",
    what: "a fake made of its source and of recorded exchanges (test/fakes/opnsense)",
    notRun: "OPNsense",
    files: [suite("opnsense"), "src/drivers/opnsense/driver.test.ts", "test/cli/opnsense-faults.test.ts"],
  },
  pfsense: {
    level: "fake",
    what: "a fake made of its source and of recorded exchanges (test/fakes/pfsense)",
    notRun: "pfSense",
    files: [suite("pfsense"), "src/drivers/pfsense/driver.test.ts", "test/cli/pfsense-faults.test.ts"],
  },
  hetzner: {
    level: "fake",
    what: "a fake of Robot's answers (test/fakes/robot.ts), by tests of its own",
    notRun:
      "Robot. The suite: there is one value at the provider, nobody else's beside it, and nobody who would undo it",
    files: ["src/drivers/hetzner/driver.test.ts"],
  },
};
