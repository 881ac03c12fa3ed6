import { existsSync, readdirSync } from "node:fs";
import type { RequestListener } from "node:http";
import { join } from "node:path";
import { httpAt } from "../../src/runtime/http.ts";
import type { Ran } from "../../src/runtime/shell.ts";
import type { ApiWay } from "../../src/runtime/way.ts";
import type { Certified } from "./certificate.ts";
import type { Faults } from "./faults.ts";
import { type FreeBsd, freeBsd, lostConnection } from "./freebsd.ts";
import { type Kernel, kernelProgram, showTables } from "./kernel.ts";
import { type Listening, listen } from "./listen.ts";

/** What goes wrong on either. */
export type FirewallFault =
  /** A fatal error of PHP: 500 and no answer of the API. */
  | "fatal-read"
  | "fatal-write"
  /** A write takes a fifth of a second; three and a half, and is done at the end of them. */
  | "slow"
  | "stalled"
  /** The write is done, the answer is lost. */
  | "answer-lost"
  /** The key lost its right to write. */
  | "no-rights"
  /** PHP on the device ends with an error. */
  | "php-fails"
  /** The shell is not let in any more. */
  | "shell-lost";

/** What a fake pfSense and a fake OPNsense both are: FreeBSD's kernel, the product's PHP, and what goes wrong. */
export type Machine = {
  readonly kernel: Kernel;
  readonly faults: Faults<FirewallFault>;
  /** NICs with their own MAC addresses. */
  readonly ports: ReadonlyMap<string, string>;
  /** What was asked, for tests that count: `POST /firewall/rule`, `php members`. */
  readonly log: string[];
  /** Writes until the controller dies: then nobody is answered any more. */
  lifetime: number;
  /** Where /conf and the like are. */
  readonly root: string;
};

/** A machine on loopback: its API over HTTP, or HTTPS with a certificate, and root's shell. */
export type FakeFirewall<Device, Access> = {
  readonly device: Device;
  readonly url: string;
  readonly system: FreeBsd;
  /** The way to it, with a shell or by the API alone. */
  way(by?: Access & { readonly shell?: boolean }): ApiWay;
  /** Everything that runs is gone; configuration and files stay, and what is to run at boot does. */
  reboot(): Promise<void>;
  stop(): Promise<void>;
};

/** What one product does in a way of its own. */
export type Product<Device extends Machine, Access> = {
  readonly device: Device;
  readonly api: RequestListener;
  readonly certified?: Certified | undefined;
  readonly headers: (by: Partial<Access>) => Readonly<Record<string, string>>;
  readonly loginShell?: "sh" | "csh";
  /** Programs that the device has besides those of every FreeBSD. */
  readonly programs?: readonly string[];
  /** A script of ours that the device runs when it has started. */
  readonly bootHook: string;
  /** The program that we put there, by its verb. Throws as PHP ends with an error. */
  readonly php: (verb: string, path: string, input: string) => unknown;
  /** What is configured runs, and nothing waits to be applied. */
  readonly boot: () => void;
};

export async function fakeFirewall<Device extends Machine, Access>(
  product: Product<Device, Access>,
): Promise<FakeFirewall<Device, Access>> {
  const { device, certified, bootHook, loginShell } = product;
  const server: Listening = await listen(product.api, certified);
  const system = await freeBsd({
    root: device.root,
    folders: ["/conf/sixgate", "/var/run/sixgate", "/usr/local/etc/cron.d", folderOf(bootHook)],
    programs: ["php", "pfctl", "netstat", "ifconfig", ...(product.programs ?? [])],
    run: (argv, input) => run(product, argv, input),
    ...(loginShell === undefined ? {} : { loginShell }),
    step(what) {
      if (!lives(device) || device.faults.is("shell-lost")) throw lostConnection();
      device.log.push(what);
    },
  });
  const ends: (() => void)[] = [];
  return {
    device,
    url: server.url,
    system,
    way({ shell = true, ...by }: Partial<Access> & { readonly shell?: boolean } = {}) {
      const http = httpAt({
        device: "fw",
        url: server.url,
        trust: certified === undefined ? { kind: "system" } : { kind: "fingerprint", sha256: certified.sha256 },
        headers: product.headers(by as Partial<Access>),
      });
      ends.push(() => http.end());
      return {
        name: http.name,
        http,
        ...(shell ? { shell: system.shell } : {}),
        async reconnect() {
          await http.reconnect();
          if (shell) await system.shell.reconnect?.();
        },
      };
    },
    async reboot() {
      await system.killWaiting();
      product.boot();
      showTables(device.kernel, device.root);
      if (existsSync(join(device.root, bootHook))) await system.login(`sh ${bootHook}`, "");
    },
    async stop() {
      for (const end of ends) end();
      await server.stop();
      await system.stop();
    },
  };
}

/** Programs of FreeBSD that the fake has; undefined for what the machine's own do. */
function run<Device extends Machine, Access>(
  { device, php }: Product<Device, Access>,
  argv: readonly string[],
  input: string,
): Ran | undefined {
  if (argv[0] !== "php") return kernelProgram(device.kernel, { argv, input, ports: device.ports, root: device.root });
  const [, , verb = "", file = ""] = argv;
  device.log.push(`php ${verb}`);
  if (device.faults.strikes("php-fails"))
    return { code: 255, stdout: "", stderr: "PHP Fatal error:  Uncaught Error: Call to undefined function" };
  try {
    const path = file.startsWith(device.root) ? file : `${device.root}${file}`;
    return { code: 0, stdout: `${JSON.stringify(php(verb, path, input))}\n`, stderr: "" };
  } catch (cause) {
    return { code: 70, stdout: "", stderr: cause instanceof Error ? cause.message : String(cause) };
  }
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

/** One step of the controller; false when it is dead by then. */
export function lives(device: Pick<Machine, "lifetime">): boolean {
  return device.lifetime-- > 0;
}

/** Files of ours that are left on the device. */
export function leftovers({ root }: Pick<Machine, "root">): readonly string[] {
  return ["conf/sixgate", "usr/local/etc/rc.d", "usr/local/etc/rc.syshook.d/start"].flatMap((folder) => {
    const path = join(root, folder);
    const there = existsSync(path) ? readdirSync(path) : [];
    return there.filter((name) => !["sixgate.php", "boot-hook"].includes(name)).map((name) => `${folder}/${name}`);
  });
}

/** What runs, without the rules, as data that is equal where it is. */
export function runningOf({ addresses, routes, tables, sysctls }: Kernel): Readonly<Record<string, unknown>> {
  const sorted = (map: ReadonlyMap<string, Iterable<string> | string>): readonly string[] =>
    [...map].map(([key, value]) => `${key} ${typeof value === "string" ? value : [...value].sort().join(" ")}`).sort();
  return {
    addresses: sorted(addresses),
    routes: sorted(routes),
    tables: sorted(tables),
    sysctls: sorted(sysctls),
  };
}
