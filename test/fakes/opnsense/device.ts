import { randomUUID } from "node:crypto";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Faults, faults } from "../faults.ts";
import { type FirewallFault, type Machine, runningOf } from "../firewall.ts";
import { freshKernel, showTables } from "../kernel.ts";
import { type Config, isOurs, listNames, parseConfig } from "./config.ts";
import { boot } from "./kernel.ts";

export type Fault =
  | FirewallFault
  /** 200, and nothing was done: the product's way to refuse. */
  | "write-fails"
  /** Applying says ok; pf has the old rules, tables or routes. */
  | "rules-not-loaded"
  | "tables-not-loaded"
  | "routes-not-set"
  /** configd does not answer: "Execute error". */
  | "configd-down"
  /** Somebody removes the newest object of ours right after it was made. */
  | "somebody-removes";

/** An OPNsense without FreeBSD: its configuration, what would run of it, and what waits to be removed. */
export type FakeDevice = Machine & {
  readonly config: Config;
  readonly key: string;
  readonly secret: string;
  readonly faults: Faults<Fault>;
  /** Paths that the key may not read. */
  readonly denied: Set<string>;
  readonly version: string;
  /** Tunables that the product lists though nobody set them. */
  readonly unset: readonly string[];
  /** Notes of what was removed, by uuid, for the next time that it is applied. */
  readonly removedVips: Map<string, string>;
  readonly removedRoutes: Map<string, string>;
  readonly uuid: () => string;
};

export type FakeOptions = {
  readonly config: string;
  readonly ports?: ReadonlyMap<string, string>;
  readonly version?: string;
  readonly unset?: readonly string[];
  readonly uuid?: () => string;
};

export function fakeDevice({
  config: text,
  ports,
  version = "26.7.2",
  unset = ["net.inet6.ip6.redirect"],
  uuid = randomUUID,
}: FakeOptions): FakeDevice {
  const root = mkdtempSync(join(tmpdir(), "sixgate-fake-opnsense-"));
  const config = parseConfig(text, randomUUID);
  const kernel = freshKernel();
  boot(kernel, config);
  const nics = Object.values(config.interfaces).flatMap((each, i) =>
    each["if"] === undefined ? [] : [[each["if"], `bc:24:11:00:00:0${i}`] as const],
  );
  showTables(kernel, root);
  return {
    config,
    kernel,
    key: "w86XNZob/8Oq8aC5r0kbNarNtdpoQU781fyoeaOBQsBwkXUt",
    secret: "XeD26XVrJ5ilAc/EmglCRC+0j2e57tRsjHwFepOseySWLM53pJASeTA3",
    faults: faults(),
    denied: new Set(),
    version,
    unset,
    removedVips: new Map(),
    removedRoutes: new Map(),
    ports: ports ?? new Map(nics),
    uuid,
    log: [],
    lifetime: Number.POSITIVE_INFINITY,
    root,
  };
}

/** Whether the device has at least that version. */
export function isFrom({ version }: Pick<FakeDevice, "version">, year: number, month: number): boolean {
  const [at = 0, in_ = 0] = version.split(/[._]/).map(Number);
  return at > year || (at === year && in_ >= month);
}

/** What belongs to others, as text. */
export function foreignOf({ config, ports }: FakeDevice): string {
  return JSON.stringify([
    listNames.map((name) => [name, config.lists[name].filter((each) => !isOurs(each))]),
    Object.entries(config.interfaces),
    [...ports],
  ]);
}

/** Everything that an apply could have changed, as text: configuration and what runs. Uuids are drawn anew each time. */
export function stateOf({ config, kernel }: FakeDevice): string {
  const text = (value: unknown): string => JSON.stringify(value);
  return JSON.stringify({
    lists: listNames.map((name) => [
      name,
      config.lists[name].map(({ fields }) => Object.entries(fields).map(text).sort().join()).sort(),
    ]),
    interfaces: config.interfaces,
    ...runningOf(kernel),
    rules: kernel.rules.map((rule) => rule.text.replace(/label ".*"/, "label")).sort(),
  });
}
