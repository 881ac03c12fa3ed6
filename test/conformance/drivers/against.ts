/** What a driver is judged against, and what that can't show. */
export type Against = {
  /** `real`: the product's own programs and kernel; `fake`: a stand-in for it; `reference`: no device at all. */
  readonly level: "real" | "fake" | "reference";
  readonly what: string;
  /** What it was never run against, so that nothing here speaks of it. */
  readonly notRun: string;
  /** Test files of the lanes' suite, from the project's folder. */
  readonly lanes?: readonly string[];
  /** More test files: of the driver alone, and those that switch faults on. */
  readonly more?: readonly string[];
};

export const suiteOf = (name: string): string => `test/conformance/${name}.test.ts`;

/** By target, as test/conformance/targets.ts names them. */
export const against: Readonly<Record<string, Against>> = {
  memory: {
    level: "reference",
    what: "the contract itself, in memory",
    notRun: "nothing: there is no device",
    lanes: [suiteOf("lane-memory")],
  },
  nftables: {
    level: "real",
    what: "nft, conntrack and the kernel of the machine that ran it, in namespaces",
    notRun: "other kernels",
    lanes: [suiteOf("lane-nftables"), suiteOf("lane-nftables-programs")],
  },
  networkd: {
    level: "real",
    what: "systemd-networkd of the machine that ran it, in namespaces",
    notRun: "other versions of systemd",
  },
  netplan: {
    level: "real",
    what: "netplan and systemd-networkd of the machine that ran it, in namespaces",
    notRun: "other versions of netplan",
  },
  "ifupdown-guest": {
    level: "real",
    what: "ifupdown2 in namespaces",
    notRun: "classic ifupdown, which `src/drivers/ifupdown/guest.test.ts` asks",
  },
  "ifupdown-bridges": {
    level: "real",
    what: "ifupdown2 in namespaces",
    notRun: "a machine with physical ports, and Proxmox's fork of ifupdown2",
  },
  docker: {
    level: "real",
    what: "the Docker engine of the machine that ran it, or Debian's, in namespaces",
    notRun: "other engines; the files for them are in `test/golden/docker`",
  },
  proxmox: {
    level: "fake",
    what: "a fake of its API (`test/fakes/pve`)",
    notRun: "Proxmox VE",
    more: ["src/drivers/proxmox/driver.test.ts", "src/drivers/proxmox/crash.test.ts", "test/cli/proxmox-crash.test.ts"],
  },
  opnsense: {
    level: "fake",
    what: "a fake made of its source and of recorded exchanges (`test/fakes/opnsense`)",
    notRun: "OPNsense",
    lanes: [suiteOf("lane-opnsense")],
    more: [
      "src/drivers/opnsense/driver.test.ts",
      "test/conformance/lane-pf-faults.test.ts",
      "test/conformance/lane-pf-room.test.ts",
      "test/cli/opnsense-faults.test.ts",
    ],
  },
  pfsense: {
    level: "fake",
    what: "a fake made of its source and of recorded exchanges (`test/fakes/pfsense`)",
    notRun: "pfSense",
    lanes: [suiteOf("lane-pfsense")],
    more: [
      "src/drivers/pfsense/driver.test.ts",
      "test/conformance/lane-pf-faults.test.ts",
      "test/conformance/lane-pf-room.test.ts",
      "test/cli/pfsense-faults.test.ts",
    ],
  },
  hetzner: {
    level: "fake",
    what: "a fake of Robot's answers (`test/fakes/robot.ts`)",
    notRun: "Robot",
    more: ["src/drivers/hetzner/driver.test.ts", "test/cli/hetzner-faults.test.ts"],
  },
};

/** Every test file that judges a driver. */
export function filesOf(name: string, { lanes = [], more = [] }: Against): readonly string[] {
  return [suiteOf(name), ...lanes, ...more];
}
