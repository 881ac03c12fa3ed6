import { existsSync } from "node:fs";
import { join } from "node:path";
import { httpAt } from "../../../src/runtime/http.ts";
import type { Ran } from "../../../src/runtime/shell.ts";
import type { ApiWay } from "../../../src/runtime/way.ts";
import type { Certified } from "../certificate.ts";
import { type FreeBsd, freeBsd, lostConnection } from "../freebsd.ts";
import { type Listening, listen } from "../listen.ts";
import { type FakeDevice, type FakeOptions, fakeDevice, lives, showTables } from "./device.ts";
import { boot, type Kernel } from "./kernel.ts";
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
  const server: Listening = await listen(restOf(device), options.certified);
  const system = await freeBsd({
    root: device.root,
    folders: ["/conf/sixgate", "/usr/local/etc/rc.d"],
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
    case "pfctl":
      return pfctl(device, argv, input);
    case "netstat":
      return done(routesText(kernel));
    case "ifconfig": {
      const name = argv[1] ?? "";
      if (!device.ports.has(name)) return failed(`ifconfig: interface ${name} does not exist`);
      return done(addressesText(kernel, name));
    }
    default:
      return undefined;
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

function pfctl(device: FakeDevice, argv: readonly string[], input: string): Ran {
  const { kernel } = device;
  const words = argv.slice(1).filter((each) => each !== "-q");
  if (words[0] === "-sr") return done(`${kernel.rules.map(({ text }) => text).join("\n")}\n`);
  if (words[0] === "-vvss")
    return done(
      kernel.states
        .map(
          ({ id, protocol, from, to, port }) =>
            `all ${protocol} ${to}[${port}] <- ${from}[50000]       ESTABLISHED:ESTABLISHED\n   age 00:00:05, expires in 23:59:59, 10:8 pkts, 800:900 bytes, rule 85\n   id: ${id} creatorid: 0badcafe\n`,
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
  if (words[0] === "-t") return changeTable(device, words[1] ?? "", words[3] ?? "", input);
  return failed(`pfctl: unknown ${words.join(" ")}`);
}

function changeTable(device: FakeDevice, name: string, verb: string, input: string): Ran {
  const table = device.kernel.tables.get(name);
  if (table === undefined) return failed("pfctl: Table does not exist.", 255);
  if (verb === "show") return done([...table].map((each) => `   ${each}\n`).join(""));
  const entries = input.split("\n").filter((each) => each !== "");
  for (const each of entries)
    if (verb === "add") table.add(each);
    else if (verb === "delete") table.delete(each);
    else return failed(`pfctl: unknown verb ${verb}`);
  showTables(device);
  return done();
}

function routesText({ routes }: Kernel): string {
  const six = [...routes].filter(([to]) => to.includes(":"));
  const lines = six.map(([to, via]) => {
    const destination = to === "::/0" ? "default" : to;
    const hop = via === "blackhole" ? "::1" : via.startsWith("fe80") ? `${via}%vtnet0` : via;
    return `${destination.padEnd(40)} ${hop.padEnd(30)} ${via === "blackhole" ? "UGSB" : "UGS"}  vtnet0`;
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
