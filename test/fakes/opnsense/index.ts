import { existsSync } from "node:fs";
import { join } from "node:path";
import { httpAt } from "../../../src/runtime/http.ts";
import type { Ran } from "../../../src/runtime/shell.ts";
import type { ApiWay } from "../../../src/runtime/way.ts";
import type { Certified } from "../certificate.ts";
import { type FreeBsd, freeBsd, lostConnection } from "../freebsd.ts";
import { kernelProgram, showTables } from "../kernel.ts";
import { type Listening, listen } from "../listen.ts";
import { apiOf } from "./api.ts";
import { automatic } from "./automatic.ts";
import { type FakeDevice, type FakeOptions, fakeDevice, lives } from "./device.ts";
import { boot } from "./kernel.ts";
import { runPhp } from "./php.ts";

export type FakeOpnSense = {
  readonly device: FakeDevice;
  readonly url: string;
  readonly system: FreeBsd;
  /** The way to it, with a shell or by the API alone. */
  way(by?: { readonly shell?: boolean; readonly secret?: string }): ApiWay;
  /** Everything that runs is gone; configuration and files stay, and what is to run at boot does. */
  reboot(): Promise<void>;
  stop(): Promise<void>;
};

const bootHook = "/usr/local/etc/rc.syshook.d/start/95-sixgate";

/** An OPNsense on loopback: its API over HTTP, or HTTPS with a certificate, and root's shell. */
export async function fakeOpnSense(options: FakeOptions & { readonly certified?: Certified }): Promise<FakeOpnSense> {
  const device = fakeDevice(options);
  device.kernel.automatic = automatic;
  const server: Listening = await listen(apiOf(device), options.certified);
  const system = await freeBsd({
    root: device.root,
    folders: ["/conf/sixgate", "/var/run/sixgate", "/usr/local/etc/cron.d", "/usr/local/etc/rc.syshook.d/start"],
    programs: ["php", "pfctl", "netstat", "ifconfig", "sysctl"],
    run: (argv, input) => program(device, argv, input),
    loginShell: "csh",
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
    way({ shell = true, secret = device.secret } = {}) {
      const http = httpAt({
        device: "fw",
        url: server.url,
        trust:
          options.certified === undefined
            ? { kind: "system" }
            : { kind: "fingerprint", sha256: options.certified.sha256 },
        headers: { authorization: `Basic ${Buffer.from(`${device.key}:${secret}`).toString("base64")}` },
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
      boot(device.kernel, device.config);
      device.removedVips.clear();
      device.removedRoutes.clear();
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

function program(device: FakeDevice, argv: readonly string[], input: string): Ran | undefined {
  if (argv[0] !== "php") return kernelProgram(device.kernel, { argv, input, ports: device.ports, root: device.root });
  const [, , verb = "", file = ""] = argv;
  device.log.push(`php ${verb}`);
  if (device.faults.strikes("php-fails"))
    return { code: 255, stdout: "", stderr: "PHP Fatal error:  Uncaught Error: Class not found" };
  try {
    const path = file.startsWith(device.root) ? file : `${device.root}${file}`;
    return { code: 0, stdout: `${JSON.stringify(runPhp(device, verb, path))}\n`, stderr: "" };
  } catch (cause) {
    return { code: 70, stdout: "", stderr: cause instanceof Error ? cause.message : String(cause) };
  }
}
