import { Failure } from "../base/failure.ts";
import { proxmoxWay } from "../drivers/api-way.ts";
import { readPieces } from "../drivers/linux/stanzas.ts";
import { pathOf, pveAt, type Row, textOf } from "../drivers/proxmox/api.ts";
import { parseNet } from "../drivers/proxmox/vms.ts";
import { apiEntry } from "../fleet/api-entry.ts";
import { resolveApi } from "../fleet/resolve-api.ts";
import { writeText } from "../runtime/files.ts";
import { type Exit, exit } from "./exit.ts";
import { readNamed } from "./fleet-file.ts";
import { type FoundBridge, type FoundHypervisor, type FoundVm, fleetOfHypervisor } from "./import-text.ts";
import type { Terminal } from "./terminal.ts";

export type ImportProxmoxOptions = {
  /** /etc/network/interfaces of a node. */
  readonly file?: string;
  readonly api?: string;
  readonly key?: string;
  readonly fingerprint?: string;
  readonly node?: string;
  readonly out?: string;
};

/** `sixgate import proxmox`: a fleet file from a node, over its API or from its file of interfaces. Prints it; changes nothing. */
export async function importProxmox(options: ImportProxmoxOptions, terminal: Terminal): Promise<Exit> {
  if (options.out !== undefined && (await readNamed(options.out)) !== undefined)
    throw new Failure("E804", options.out, "There is a file already", "name another one, or remove it");
  const found = options.file === undefined ? await overApi(options) : await fromFile(options.file, options.node);
  if (found.bridges.length === 0)
    throw new Failure(
      "E511",
      options.file ?? options.api ?? "",
      "No bridge there",
      "name the node's /etc/network/interfaces",
    );
  const text = fleetOfHypervisor(found);
  if (options.out === undefined) terminal.raw(text);
  else await writeText(options.out, text);
  terminal.result({ format: "sixgate.import/1", fleet: text });
  terminal.say("what is behind `# guess:` was not there to be read: look at each, then `sixgate validate`");
  return exit.fine;
}

async function fromFile(path: string, node = "pve"): Promise<FoundHypervisor> {
  const text = await readNamed(path);
  if (text === undefined) throw new Failure("E801", path, "No such file", "name the node's /etc/network/interfaces");
  const reach = [
    "reach: none                          # guess: ssh:root@host, or api: as docs/hypervisor-proxmox.md says",
  ];
  return { node, bridges: bridgesIn(text), vms: [], reach };
}

function bridgesIn(text: string): readonly FoundBridge[] {
  const found = new Map<string, FoundBridge>();
  for (const piece of readPieces(text)) {
    if (piece.kind !== "iface") continue;
    const option = (key: string): string | undefined => piece.options.find((each) => each.key === key)?.value.trim();
    const before = found.get(piece.name);
    if (piece.family === "inet6") {
      if (before !== undefined) found.set(piece.name, { ...before, ...given({ cidr6: option("address") }) });
      continue;
    }
    const ports = option("bridge-ports");
    if (ports === undefined) continue;
    found.set(piece.name, {
      name: piece.name,
      ...given({
        port: ports === "none" ? undefined : ports.split(/\s+/)[0],
        cidr: withLength(option("address"), option("netmask")),
        gateway: option("gateway"),
      }),
    });
  }
  return [...found.values()];
}

/** `address 192.0.2.1` with `netmask 255.255.255.0` or `netmask 24` on a line of its own. */
function withLength(address: string | undefined, mask: string | undefined): string | undefined {
  if (address === undefined || address.includes("/") || mask === undefined) return address;
  const bits = mask.includes(".")
    ? mask.split(".").reduce((sum, part) => sum + Number(part).toString(2).replaceAll("0", "").length, 0)
    : mask;
  return `${address}/${bits}`;
}

async function overApi({ api: url, key, fingerprint, node = "pve" }: ImportProxmoxOptions): Promise<FoundHypervisor> {
  const parsed = apiEntry.safeParse({ url, key, ...(fingerprint === undefined ? {} : { tls: { fingerprint } }) });
  if (!parsed.success)
    throw new Failure(
      "E802",
      "import proxmox",
      "Neither a file nor a node that can be asked",
      "name a file, or --api https://ADDRESS:8006 with --key env:NAME, --node and --fingerprint",
    );
  const { http } = await proxmoxWay(node, resolveApi(parsed.data));
  try {
    const pve = pveAt(http, node);
    const rows = await pve.list(pathOf("nodes", node, "network"));
    const all = await pve.list("/cluster/resources?type=vm");
    const vms: FoundVm[] = [];
    for (const row of all.filter((each) => textOf(each, "node") === node && textOf(each, "template") !== "1")) {
      if (textOf(row, "type") !== "qemu") continue;
      const id = Number(textOf(row, "vmid"));
      vms.push({
        id,
        name: textOf(row, "name") ?? "",
        nics: nicsIn(await pve.read(pathOf("nodes", node, "qemu", id, "config"))),
      });
    }
    const tls = fingerprint === undefined ? "" : `, tls: { fingerprint: "${fingerprint}" }`;
    return {
      node,
      bridges: rows.filter((row) => textOf(row, "type") === "bridge").map(bridgeOf),
      vms,
      reach: [`node: ${node}`, `api: { url: "${parsed.data.url}", key: "${key}"${tls} }`],
    };
  } finally {
    http.end();
  }
}

function bridgeOf(row: Row): FoundBridge {
  const text = (key: string): string | undefined => textOf(row, key)?.trim() || undefined;
  return {
    name: text("iface") ?? "",
    ...given({
      port: text("bridge_ports")?.split(/\s+/)[0],
      cidr: text("cidr"),
      gateway: text("gateway"),
      cidr6: text("cidr6"),
    }),
  };
}

function nicsIn(config: Row): FoundVm["nics"] {
  return Object.keys(config)
    .filter((key) => /^net\d+$/.test(key))
    .toSorted((a, b) => Number(a.slice(3)) - Number(b.slice(3)))
    .map((key) => {
      const net = parseNet(textOf(config, key) ?? "");
      return { bridge: net.rest.get("bridge") ?? "", mac: net.mac ?? "" };
    });
}

function given<T extends Readonly<Record<string, string | undefined>>>(fields: T): { [K in keyof T]?: string } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: string;
  };
}
