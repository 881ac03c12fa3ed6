import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Faults, faults } from "../faults.ts";
import { type FirewallFault, type Machine, runningOf } from "../firewall.ts";
import { freshKernel, showTables as showKernelTables } from "../kernel.ts";
import { type Config, parseConfig, textOf } from "./config.ts";
import { boot, bringUpVip, configureFilter, configureInterface, configureRouting } from "./kernel.ts";

export type Fault =
  | FirewallFault
  /** A write of somebody else, begun before ours, ends after it: ours is gone, and 200 was said. */
  | "lost-update"
  /** Somebody adds an object in front of all others between a read and a write by its index. */
  | "index-shift"
  /** Applying says 200 and applied, and pf has the old rules. */
  | "not-loaded"
  /** pf does not load the rules; the dirty flags stay, and 200 is said. */
  | "load-fails"
  /** 503: the queue of workers is full; the configuration is locked. */
  | "queue-full"
  | "write-locked"
  /** The package went with an upgrade: the web server's own 404. */
  | "no-package"
  /** Interfaces are named by their descriptions, as a setting of the package has it by default. */
  | "named-by-descr";

/** A pfSense without FreeBSD: its configuration, what would run of it, and what waits to be applied. */
export type FakeDevice = Machine & {
  config: Config;
  readonly key: string;
  readonly faults: Faults<Fault>;
  /** Paths that the key may not read. */
  readonly denied: Set<string>;
  /** Subsystems with a dirty flag. */
  readonly dirty: Set<string>;
  /** Virtual IPs that wait, by index; interfaces by id. */
  readonly pendingVips: Set<number>;
  readonly pendingInterfaces: Set<string>;
  /** Seconds since 1970, as the device counts them. */
  readonly now: () => number;
  readonly version: string;
  packageVersion: string;
};

export type FakeOptions = {
  readonly config: string;
  readonly ports?: ReadonlyMap<string, string>;
  /** Milliseconds of ours that are a second of the device. */
  readonly second?: number;
  readonly version?: string;
};

export function fakeDevice({ config, ports, second = 1000, version = "2.8.1-RELEASE" }: FakeOptions): FakeDevice {
  const root = mkdtempSync(join(tmpdir(), "sixgate-fake-pfsense-"));
  const parsed = parseConfig(config);
  const kernel = freshKernel();
  boot(kernel, parsed);
  const nics = Object.values(parsed.interfaces).flatMap((each, i) =>
    each["if"] === undefined ? [] : [[each["if"], `bc:24:11:00:00:0${i}`] as const],
  );
  const device: FakeDevice = {
    config: parsed,
    kernel,
    key: "0123456789abcdef0123456789abcdef",
    faults: faults(),
    denied: new Set(),
    dirty: new Set(),
    pendingVips: new Set(),
    pendingInterfaces: new Set(),
    ports: ports ?? new Map(nics),
    now: () => Math.floor(Date.now() / second),
    log: [],
    lifetime: Number.POSITIVE_INFINITY,
    root,
    version,
    packageVersion: "v2.10.0",
  };
  showTables(device);
  return device;
}

export function applyInterfaces(device: FakeDevice): void {
  for (const id of device.pendingInterfaces) configureInterface(device.kernel, device.config, id);
  device.pendingInterfaces.clear();
  device.dirty.delete("interfaces");
}

/** What waits does so by its index, whatever stands there by now. */
export function applyVips(device: FakeDevice): void {
  for (const index of device.pendingVips) {
    const vip = device.config.virtualip.vip[index];
    if (vip !== undefined) bringUpVip(device.kernel, device.config, vip);
  }
  device.pendingVips.clear();
  device.dirty.delete("vip");
}

export function applyRouting(device: FakeDevice): void {
  configureRouting(device.kernel, device.config);
  device.dirty.delete("staticroutes");
}

/** False where the rules did not load; the flags stay then. */
export function applyFilter(device: FakeDevice): boolean {
  if (device.faults.strikes("load-fails")) return false;
  if (!device.faults.strikes("not-loaded")) configureFilter(device.kernel, device.config);
  for (const each of ["aliases", "natconf", "filter"]) device.dirty.delete(each);
  showTables(device);
  return true;
}

export function showTables({ kernel, root }: FakeDevice): void {
  showKernelTables(kernel, root);
}

/** What belongs to others, as text. */
export function foreignOf({ config, ports }: FakeDevice): string {
  const theirs = <T extends { [key: string]: unknown }>(rows: readonly T[]): readonly T[] =>
    rows.filter(({ descr }) => typeof descr !== "string" || !descr.startsWith("sixgate: "));
  return JSON.stringify([
    theirs(config.aliases.alias),
    theirs(config.filter.rule),
    theirs(config.virtualip.vip),
    theirs(config.gateways.gateway_item),
    theirs(config.staticroutes.route),
    theirs(config.nat.outbound.rule),
    theirs(config.sysctl.item),
    Object.entries(config.interfaces).filter(([id]) => id === "lan"),
    [...ports],
  ]);
}

/** Everything that an apply could have changed, as text: configuration and what runs. */
export function stateOf({ config, kernel }: FakeDevice): string {
  return JSON.stringify({
    config,
    ...runningOf(kernel),
    rules: kernel.rules.map(({ text }) => text),
  });
}

export function ruleNames({ config }: FakeDevice): readonly string[] {
  return config.filter.rule.map((each) => textOf(each, "descr") ?? "");
}
