import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Address, parseAddress } from "../../src/net/address.ts";
import { contains, parsePrefix, prefixOf } from "../../src/net/prefix.ts";
import type { Ran } from "../../src/runtime/shell.ts";
import { pfPrints } from "./pf-prints.ts";

export type LoadedRule = { readonly tracker: string; readonly text: string; readonly uses: readonly string[] };

/** What FreeBSD runs: set by applying, lost by a restart. */
export type Kernel = {
  /** By device. */
  readonly addresses: Map<string, Set<string>>;
  /** Destination to next hop; `blackhole` for one to nowhere. */
  readonly routes: Map<string, string>;
  readonly tables: Map<string, Set<string>>;
  rules: readonly LoadedRule[];
  readonly sysctls: Map<string, string>;
  states: KernelState[];
  /** Rules that the product makes by itself, before those of the configuration. */
  automatic: readonly string[];
  /** Rules of address translation, as pf prints them. */
  translation: readonly string[];
  isOff: boolean;
  /** How often pf's rules were loaded. */
  loads: number;
  /** pf's hard limits. */
  limits: { readonly states: number; readonly entries: number };
};

export type KernelState = {
  readonly id: string;
  readonly protocol: string;
  readonly from: string;
  readonly to: string;
  readonly port: number;
  /** The half of a flow that goes out at the hosts' side: the first packet left there. */
  readonly out?: boolean;
};

export function freshKernel(): Kernel {
  return {
    addresses: new Map(),
    routes: new Map(),
    tables: new Map(),
    rules: [],
    sysctls: new Map(),
    states: [],
    automatic: [],
    translation: [],
    isOff: false,
    loads: 0,
    limits: { states: 400_000, entries: 400_000 },
  };
}

function done(stdout = ""): Ran {
  return { code: 0, stdout, stderr: "" };
}

function failed(stderr: string, code = 1): Ran {
  return { code, stdout: "", stderr };
}

export type Asked = {
  readonly argv: readonly string[];
  readonly input: string;
  readonly ports: ReadonlyMap<string, string>;
  readonly root: string;
};

/** What FreeBSD's own programs say and do; undefined for another. */
export function kernelProgram(kernel: Kernel, { argv, input, ports, root }: Asked): Ran | undefined {
  switch (argv[0] ?? "") {
    case "pfctl":
      return pfctl(kernel, root, argv, input);
    case "netstat":
      return done(routesText(kernel));
    case "ifconfig": {
      const name = argv[1] ?? "";
      if (name === "-a") return done([...ports.keys()].map((each) => addressesText(kernel, each)).join(""));
      if (!ports.has(name)) return failed(`ifconfig: interface ${name} does not exist`);
      return done(addressesText(kernel, name));
    }
    case "sysctl":
      return done(
        argv
          .slice(1)
          .flatMap((name) => (kernel.sysctls.has(name) ? [`${name}=${kernel.sysctls.get(name)}\n`] : []))
          .join(""),
      );
    default:
      return undefined;
  }
}

/** pf's tables as files, for the stand-in of pfctl that scripts call. */
export function showTables({ tables }: Kernel, root: string): void {
  const folder = join(root, "kernel/tables");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const [name, entries] of tables) {
    if (name !== "") writeFileSync(join(folder, name), [...entries].map((each) => `   ${each}\n`).join(""));
  }
}

function pfctl(kernel: Kernel, root: string, argv: readonly string[], input: string): Ran {
  const words = argv.slice(1).filter((each) => each !== "-q");
  const printed = pfPrints(kernel, words);
  if (printed !== undefined) return done(printed);
  if (words[0] === "-sr") return done(`${kernel.rules.map(({ text }) => text).join("\n")}\n`);
  const limits = limitsText(kernel, words[0] ?? "");
  if (limits !== undefined) return done(limits);
  if (words[0] === "-vvss")
    return done(
      kernel.states
        .map(
          ({ id, protocol, from, to, port, out }) =>
            `all ${protocol} ${out === true ? `${from}[50000] -> ${to}[${port}]` : `${to}[${port}] <- ${from}[50000]`}       ESTABLISHED:ESTABLISHED\n   age 00:00:05, expires in 23:59:59, 10:8 pkts, 800:900 bytes, rule 85\n   id: ${id} creatorid: 0badcafe\n`,
        )
        .join(""),
    );
  if (words[0] === "-k" && words[1] === "id") {
    kernel.states = kernel.states.filter(({ id }) => !words[3]?.startsWith(`${id}/`));
    return done();
  }
  if (words[0] === "-k") {
    kernel.states = kernel.states.filter(({ to }) => to !== words[3]);
    return done();
  }
  // No anchor of the fake's has tables of its own.
  if (words[0] === "-a") return failed("pfctl: Table does not exist.", 255);
  if (words[0] === "-s" && words[1] === "Tables")
    return done([...kernel.tables.keys()].map((each) => `${each}\n`).join(""));
  if (words[0] === "-t")
    return changeTable(kernel, root, words[1] ?? "", words[3] ?? "", words[3] === "test" ? (words[4] ?? "") : input);
  return failed(`pfctl: unknown ${words.join(" ")}`);
}

/** As pfctl(8) of FreeBSD 14 prints limits, counts and tables. */
function limitsText({ isOff, limits, states, tables }: Kernel, word: string): string | undefined {
  if (word === "-sm")
    return `states        hard limit ${`${limits.states}`.padStart(8)}\nsrc-nodes     hard limit   400000\nfrags         hard limit     5000\ntable-entries hard limit ${`${limits.entries}`.padStart(8)}\n`;
  if (word === "-si")
    return `Status: ${isOff ? "Disabled" : "Enabled"} for 3 days 02:10:11           Debug: Urgent\n\nState Table                          Total             Rate\n  current entries ${`${states.length}`.padStart(24)}\n  searches                         1000            0.1/s\n`;
  if (word !== "-vvsT") return undefined;
  return [...tables]
    .map(
      ([name, entries]) =>
        `-pa-r--\t${name}\n\tAddresses:   ${entries.size}\n\tCleared:     Thu Jan  1 00:00:00 1970\n`,
    )
    .join("");
}

function changeTable(kernel: Kernel, root: string, ...[name, verb, input]: readonly [string, string, string]): Ran {
  const table = kernel.tables.get(name);
  if (table === undefined) return failed("pfctl: Table does not exist.", 255);
  if (verb === "show") return done([...table].map((each) => `   ${each}\n`).join(""));
  if (verb === "test") return table.has(input) ? done() : { code: 2, stdout: "", stderr: "0/1 addresses match.\n" };
  const entries = input.split("\n").filter((each) => each !== "");
  for (const each of entries)
    if (verb === "add") table.add(each);
    else if (verb === "delete") table.delete(each);
    else return failed(`pfctl: unknown verb ${verb}`);
  showTables(kernel, root);
  return done();
}

/** The interface by which a next hop is reached: of one that stays on its link, the uplink. */
function deviceTowards({ addresses }: Kernel, via: string): string {
  for (const [device, all] of addresses)
    for (const each of all) {
      const own = parsePrefix(
        each.replace(/^(.*)\/(\d+)$/, (_, base: string, length: string) => networkOf(base, length)),
      );
      if (own !== undefined && contains(own, via as Address)) return device;
    }
  return "vtnet0";
}

function networkOf(base: string, length: string): string {
  const found = parseAddress(base);
  return found === undefined ? "" : prefixOf(found, Number(length));
}

function routesText(kernel: Kernel): string {
  const { routes } = kernel;
  const six = [...routes].filter(([to]) => to.includes(":"));
  const lines = six.map(([to, via]) => {
    const destination = to === "::/0" ? "default" : to;
    const hop = via === "blackhole" ? "::1" : via.startsWith("fe80") ? `${via}%vtnet0` : via;
    return `${destination.padEnd(40)} ${hop.padEnd(30)} ${via === "blackhole" ? "UGSB" : "UGS"}  ${via === "blackhole" ? "lo0" : deviceTowards(kernel, via)}`;
  });
  return `Routing tables\n\nInternet6:\nDestination  Gateway  Flags  Netif Expire\n${lines.join("\n")}\n`;
}

function addressesText({ addresses }: Kernel, name: string): string {
  const lines = [...(addresses.get(name) ?? [])].map((each) => {
    const [address = "", length = ""] = each.split("/");
    if (address.includes(":")) return `\tinet6 ${address} prefixlen ${length}`;
    const mask = (0xffffffff << (32 - Number(length))) >>> 0;
    return `\tinet ${address} netmask 0x${mask.toString(16).padStart(8, "0")} broadcast 0.0.0.0`;
  });
  return `${name}: flags=1008843<UP,BROADCAST,RUNNING> metric 0 mtu 1500\n\tether bc:24:11:00:00:00\n\tinet6 fe80::be24:11ff:fe00:0%${name} prefixlen 64 scopeid 0x1\n${lines.join("\n")}\n`;
}
