import { existsSync } from "node:fs";
import { join } from "node:path";
import { httpAt } from "../../../src/runtime/http.ts";
import type { Ran } from "../../../src/runtime/shell.ts";
import type { ApiWay } from "../../../src/runtime/way.ts";
import type { Certified } from "../certificate.ts";
import { type FreeBsd, freeBsd, lostConnection } from "../freebsd.ts";
import { kernelProgram } from "../kernel.ts";
import { type Listening, listen } from "../listen.ts";
import { automatic } from "./automatic.ts";
import { type FakeDevice, type FakeOptions, fakeDevice, lives, showTables } from "./device.ts";
import { boot } from "./kernel.ts";
import { runPhp } from "./php.ts";
import { restOf } from "./rest.ts";

export type FakePfSense = {
  readonly device: FakeDevice;
  readonly url: string;
  readonly system: FreeBsd;
  /** The way to it, with a shell or by the API alone. */
  way(by?: { readonly shell?: boolean; readonly key?: string }): ApiWay;
  /** Everything that runs is gone; configuration and files stay, and what is to run at boot does. */
  reboot(): Promise<void>;
  stop(): Promise<void>;
};

/** A pfSense on loopback: pfREST over HTTP, or HTTPS with a certificate, and root's shell. */
export async function fakePfSense(options: FakeOptions & { readonly certified?: Certified }): Promise<FakePfSense> {
  const device = fakeDevice(options);
  device.kernel.automatic = automatic;
  const server: Listening = await listen(restOf(device), options.certified);
  const system = await freeBsd({
    root: device.root,
    folders: ["/conf/sixgate", "/var/run/sixgate", "/usr/local/etc/cron.d", "/usr/local/etc/rc.d"],
    programs: ["php", "pfctl", "netstat", "ifconfig"],
    run: (argv, input) => program(device, argv, input),
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
    way({ shell = true, key = device.key } = {}) {
      const http = httpAt({
        device: "fw",
        url: server.url,
        trust:
          options.certified === undefined
            ? { kind: "system" }
            : { kind: "fingerprint", sha256: options.certified.sha256 },
        headers: { "x-api-key": key },
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
      device.dirty.clear();
      device.pendingVips.clear();
      device.pendingInterfaces.clear();
      showTables(device);
      if (existsSync(join(device.root, "usr/local/etc/rc.d/sixgate.sh")))
        await system.login("sh /usr/local/etc/rc.d/sixgate.sh", "");
    },
    async stop() {
      for (const end of ends) end();
      await server.stop();
      await system.stop();
    },
  };
}

function done(stdout = ""): Ran {
  return { code: 0, stdout, stderr: "" };
}

function failed(stderr: string, code = 1): Ran {
  return { code, stdout: "", stderr };
}

/** Programs of FreeBSD that the fake has; undefined for what the machine's own do. */
function program(device: FakeDevice, argv: readonly string[], input: string): Ran | undefined {
  const { kernel } = device;
  switch (argv[0] ?? "") {
    case "php":
      return php(device, argv, input);
    default:
      return kernelProgram(kernel, { argv, input, ports: device.ports, root: device.root });
  }
}

function php(device: FakeDevice, argv: readonly string[], input: string): Ran {
  const [, , verb = "", file = ""] = argv;
  if (device.faults.strikes("php-fails"))
    return failed("PHP Fatal error:  Uncaught Error: Call to undefined function", 255);
  try {
    const path = file.startsWith(device.root) ? file : `${device.root}${file}`;
    return done(`${JSON.stringify(runPhp(device, verb, path, input))}\n`);
  } catch (cause) {
    return failed(cause instanceof Error ? cause.message : String(cause), 70);
  }
}
