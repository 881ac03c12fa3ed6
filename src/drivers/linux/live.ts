import { z } from "zod";
import { Failure } from "../../base/failure.ts";
import { printable } from "../../base/printable.ts";
import { parseAddress } from "../../net/address.ts";
import { parsePrefix } from "../../net/prefix.ts";
import type { Shell } from "../../runtime/shell.ts";
import { procPath, sysctlValue } from "./sysctl.ts";

/** What `ip -j` of iproute2 5.10 and later says, as far as it is looked at. */
const addressesShape = z.array(
  z.object({
    ifname: z.string().optional(),
    address: z.string().optional(),
    master: z.string().optional(),
    flags: z.array(z.string()).optional(),
    linkinfo: z.object({ info_kind: z.string().optional() }).optional(),
    addr_info: z
      .array(
        z.object({
          family: z.string().optional(),
          local: z.string().optional(),
          prefixlen: z.number().optional(),
          tentative: z.boolean().optional(),
          dadfailed: z.boolean().optional(),
        }),
      )
      .optional(),
  }),
);
const routesShape = z.array(
  z.object({
    type: z.string().optional(),
    dst: z.string(),
    gateway: z.string().optional(),
    via: z.object({ host: z.string() }).optional(),
    dev: z.string().optional(),
    protocol: z.string().optional(),
    nexthops: z.array(z.object({ gateway: z.string().optional(), dev: z.string().optional() })).optional(),
  }),
);
const proxiesShape = z.array(z.object({ dst: z.string(), dev: z.string().optional() }));

export type LiveAddress = {
  readonly link: string;
  readonly address: string;
  readonly state: "in use" | "tentative" | "duplicate";
};
export type LiveLink = {
  readonly name: string;
  readonly mac?: string;
  readonly master?: string;
  readonly kind?: string;
  readonly up: boolean;
};
export type LiveRoute = { readonly to: string; readonly value: string; readonly protocol: string };
export type Live = {
  readonly links: readonly LiveLink[];
  readonly addresses: readonly LiveAddress[];
  /** Main table, both families, without what the kernel makes itself (connected prefixes). */
  readonly routes: readonly LiveRoute[];
  readonly proxies: readonly { readonly address: string; readonly link: string }[];
};

/** The kernel's network as it is now. Rejects unless all of it was read and understood. */
export async function readLive(shell: Shell, signal?: AbortSignal): Promise<Live> {
  const links = await ask(shell, ["-d", "addr", "show"], addressesShape, signal);
  const routes6 = await ask(shell, ["-6", "route", "show"], routesShape, signal);
  const routes4 = await ask(shell, ["-4", "route", "show"], routesShape, signal);
  const proxies = await ask(shell, ["-6", "neigh", "show", "proxy"], proxiesShape, signal);
  return {
    links: links.flatMap(linkOf),
    addresses: links.flatMap(addressesOf),
    routes: [...routes6.map((route) => routeOf(route, 6)), ...routes4.map((route) => routeOf(route, 4))].filter(
      // The kernel's own routes lead onto links. ifupdown2 3.0 marks its gateways so, too: those go via somebody.
      ({ protocol, value }) => protocol !== "kernel" || value.startsWith("via "),
    ),
    proxies: proxies.map(({ dst, dev }) => ({ address: parseAddress(dst) ?? dst, link: dev ?? "" })),
  };
}

async function ask<T>(shell: Shell, what: readonly string[], shape: z.ZodType<T>, signal?: AbortSignal): Promise<T> {
  const argv = ["ip", "-j", ...what];
  const ran = await shell.run(argv, signal === undefined ? {} : { signal });
  const text = ran.stdout.trim();
  try {
    if (ran.code === 0) return shape.parse(text === "" ? [] : JSON.parse(text));
  } catch (cause) {
    throw new Failure(
      "E517",
      shell.name,
      `\`${argv.join(" ")}\` was not understood`,
      "iproute2 of 5.10 or later is needed",
      { cause },
    );
  }
  const said = printable(ran.stderr.trim().slice(0, 300));
  throw new Failure(
    "E517",
    shell.name,
    `\`${argv.join(" ")}\` ended with ${ran.code}: ${said}`,
    "try it by hand on the device",
  );
}

type Shown = z.infer<typeof addressesShape>[number];

function linkOf(shown: Shown): readonly LiveLink[] {
  // An address whose link is not shown: `ip -j -6 addr` prints empty objects for the links it leaves out.
  if (shown.ifname === undefined) return [];
  return [
    {
      name: shown.ifname,
      up: shown.flags?.includes("UP") ?? false,
      ...(shown.address === undefined ? {} : { mac: shown.address }),
      ...(shown.master === undefined ? {} : { master: shown.master }),
      ...(shown.linkinfo?.info_kind === undefined ? {} : { kind: shown.linkinfo.info_kind }),
    },
  ];
}

function addressesOf(shown: Shown): readonly LiveAddress[] {
  return (shown.addr_info ?? []).flatMap(({ local, prefixlen, tentative, dadfailed }) =>
    shown.ifname === undefined || local === undefined
      ? []
      : [
          {
            link: shown.ifname,
            address: `${parseAddress(local) ?? local}/${prefixlen ?? 128}`,
            // RFC 4862 §5.4: another machine on the link has it. The kernel keeps the routes, so nothing else shows it.
            state: dadfailed === true ? "duplicate" : tentative === true ? "tentative" : "in use",
          },
        ],
  );
}

function routeOf(route: z.infer<typeof routesShape>[number], family: 4 | 6): LiveRoute {
  const protocol = route.protocol ?? "boot";
  return {
    to: destination(route.dst, family),
    value: hops(route) + (protocol === "ra" ? " from a router advertisement" : ""),
    protocol,
  };
}

function hops({ type, gateway, via, dev, nexthops }: z.infer<typeof routesShape>[number]): string {
  if (type !== undefined && type !== "unicast") return type;
  if (nexthops !== undefined)
    return nexthops.map((hop) => `via ${hop.gateway ?? "link"} dev ${hop.dev ?? "?"}`).join(" and ");
  const next = gateway ?? via?.host;
  return next === undefined ? `dev ${dev ?? "?"}` : `via ${parseAddress(next) ?? next} dev ${dev ?? "?"}`;
}

function destination(text: string, family: 4 | 6): string {
  if (text === "default") return family === 6 ? "::/0" : "0.0.0.0/0";
  const whole = text.includes("/") ? text : `${text}/${family === 6 ? 128 : 32}`;
  return family === 6 ? (parsePrefix(whole) ?? whole) : whole;
}

/**
 * Values of kernel settings by key, absent where the kernel has no such setting. By a program in the device and not
 * by file: /proc/sys/net shows the network of the process that reads, also when the path leads into another's root.
 */
export async function readSysctls(
  shell: Shell,
  keys: readonly string[],
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  if (keys.length === 0) return new Map();
  const script =
    'for path; do if [ -e "$path" ]; then printf "%s\\n" "$(tr -s "\\n\\t" "  " <"$path")" || exit 1; else echo -; fi; done';
  const ran = await shell.run(
    ["sh", "-c", script, "sh", ...keys.map(procPath)],
    signal === undefined ? {} : { signal },
  );
  const lines = ran.stdout.split("\n").slice(0, -1);
  if (ran.code !== 0 || lines.length !== keys.length || ran.stderr !== "") {
    throw new Failure(
      "E517",
      shell.name,
      `Kernel settings can't be read: ${printable(ran.stderr.trim().slice(0, 300))}`,
      "look at /proc/sys on the device",
    );
  }
  const found = keys.map((key, place): [string, string] => [key, lines[place] ?? "-"]);
  return new Map(found.filter(([, value]) => value !== "-").map(([key, value]) => [key, sysctlValue(value)]));
}
