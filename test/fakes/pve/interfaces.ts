import { createTwoFilesPatch } from "diff";

// /etc/network/interfaces as Proxmox VE's own parser and writer treat it, as far as bridges need it.

/** An interface in the words of the API. `options`: lines that it only keeps. */
export type Iface = { [key: string]: string | number | undefined | string[]; options: string[] };
export type Interfaces = Map<string, Iface>;

const keys: Readonly<Record<string, string>> = {
  "bridge-ports": "bridge_ports",
  "bridge-stp": "bridge_stp",
  "bridge-fd": "bridge_fd",
  "bridge-vlan-aware": "bridge_vlan_aware",
  "bridge-vids": "bridge_vids",
  mtu: "mtu",
};

export function parse(text: string, physical: readonly string[]): Interfaces {
  const all: Interfaces = new Map();
  const get = (name: string): Iface => {
    const found = all.get(name) ?? { options: [] };
    all.set(name, found);
    return found;
  };
  const auto = new Set<string>();
  let at: { iface: Iface; six: boolean } | undefined;
  for (const line of text.split("\n")) {
    const [word = "", ...rest] = line.trim().split(/\s+/);
    if (word === "") continue;
    if (word === "auto") for (const name of rest) auto.add(name);
    else if (word === "iface") {
      const six = rest[1] === "inet6";
      const iface = get(rest[0] ?? "");
      iface[six ? "method6" : "method"] = rest[2] ?? "manual";
      at = { iface, six };
    } else if (at !== undefined) option(at.iface, at.six, line);
  }
  for (const name of physical) get(name)["method"] ??= "manual";
  for (const [name, iface] of all) {
    if (auto.has(name)) iface["autostart"] = 1;
    if ("bridge_ports" in iface) {
      iface["bridge_stp"] ??= "off";
      iface["bridge_fd"] ??= "0";
    }
    iface["type"] =
      name === "lo" ? "loopback" : "bridge_ports" in iface ? "bridge" : physical.includes(name) ? "eth" : "unknown";
  }
  return all;
}

function option(iface: Iface, six: boolean, line: string): void {
  const trimmed = line.trim();
  if (trimmed.startsWith("#")) {
    const key = six ? "comments6" : "comments";
    iface[key] = `${(iface[key] as string | undefined) ?? ""}${trimmed.slice(1)}\n`;
    return;
  }
  const [, word = "", value = ""] = /^(\S+)\s*(.*)$/.exec(trimmed) ?? [];
  const key = word.replaceAll("_", "-");
  if (key === "address") iface[six ? "cidr6" : "cidr"] = value;
  else if (key === "netmask")
    iface[six ? "cidr6" : "cidr"] = `${textIn(iface, six ? "cidr6" : "cidr")}/${bitsOf(value)}`;
  else if (key === "gateway") iface[six ? "gateway6" : "gateway"] = value;
  else if (key === "bridge-ports") iface["bridge_ports"] = value === "none" ? "" : value;
  // Its presence is what counts, whatever it says.
  else if (key === "bridge-vlan-aware") iface["bridge_vlan_aware"] = 1;
  else if (keys[key] !== undefined) iface[keys[key]] = value;
  else iface.options.push(trimmed);
}

function bitsOf(mask: string): string {
  if (!mask.includes(".")) return mask;
  const ones = mask.split(".").map((part) => Number(part).toString(2).replaceAll("0", "").length);
  return String(ones.reduce((sum, each) => sum + each, 0));
}

export function write(all: Interfaces): string {
  const stanzas = [...all].flatMap(([name, iface]) => {
    if (name === "lo") return ["auto lo\niface lo inet loopback\n"];
    return [stanza(name, iface)];
  });
  return `${stanzas.join("\n")}\n`;
}

function textIn(iface: Iface, key: string): string | undefined {
  const value = iface[key];
  return typeof value === "string" || typeof value === "number" ? `${value}` : undefined;
}

function stanza(name: string, iface: Iface): string {
  const text = (key: string): string | undefined => textIn(iface, key);
  const comment = (key: string): string[] =>
    (text(key) ?? "")
      .split("\n")
      .filter(Boolean)
      .map((line) => `#${line}`);
  const lines = [
    ...(iface["autostart"] ? [`auto ${name}`] : []),
    `iface ${name} inet ${text("method") ?? "manual"}`,
    ...(text("cidr") === undefined ? [] : [`\taddress ${text("cidr")}`]),
    ...(text("gateway") === undefined ? [] : [`\tgateway ${text("gateway")}`]),
    ...(iface["type"] === "bridge"
      ? [
          `\tbridge-ports ${text("bridge_ports") || "none"}`,
          `\tbridge-stp ${text("bridge_stp") ?? "off"}`,
          `\tbridge-fd ${text("bridge_fd") ?? "0"}`,
          ...(iface["bridge_vlan_aware"]
            ? ["\tbridge-vlan-aware yes", `\tbridge-vids ${text("bridge_vids") ?? "2-4094"}`]
            : []),
        ]
      : []),
    ...(text("mtu") === undefined ? [] : [`\tmtu ${text("mtu")}`]),
    ...iface.options.map((line) => `\t${line}`),
    ...comment("comments"),
  ];
  if (text("cidr6") !== undefined)
    lines.push(
      "",
      `iface ${name} inet6 ${text("method6") ?? "static"}`,
      `\taddress ${text("cidr6")}`,
      ...(text("gateway6") === undefined ? [] : [`\tgateway ${text("gateway6")}`]),
      ...comment("comments6"),
    );
  return `${lines.join("\n")}\n`;
}

/** What PUT and POST do: everything is taken over but addresses, which are dropped where they are not named again. */
export function edit(all: Interfaces, name: string, form: Record<string, string>): string | undefined {
  const { delete: gone, iface: _iface, ...rest } = form;
  const found = all.get(name) ?? { options: [] };
  for (const key of (gone ?? "").split(",").filter(Boolean)) delete found[key];
  for (const family of ["", "6"]) {
    if (rest[`cidr${family}`] !== undefined) found[`method${family}`] = "static";
    else if (family === "6") {
      delete found["cidr6"];
      delete found["gateway6"];
      delete found["method6"];
    } else found["method"] = "manual";
  }
  for (const [key, value] of Object.entries(rest))
    found[key] = key === "autostart" || key === "bridge_vlan_aware" ? Number(value) : value;
  if (found["bridge_ports"] === undefined && found["type"] === "bridge") found["bridge_ports"] = "";
  for (const [other, iface] of all) {
    if (other === name) continue;
    if (rest["gateway"] !== undefined && iface["gateway"] !== undefined)
      return `Default gateway already exists on interface '${other}'.`;
    const ports = (textIn(iface, "bridge_ports") ?? "").split(/\s+/);
    if (rest["bridge_ports"] && ports.includes(rest["bridge_ports"]))
      return `iface '${rest["bridge_ports"]}' is already used by bridge '${other}'`;
  }
  all.set(name, found);
  return undefined;
}

/** As `diff -b -N -u` writes it. */
export function unified(before: string, after: string): string {
  if (before === after) return "";
  const patch = createTwoFilesPatch("/etc/network/interfaces", "/etc/network/interfaces.new", before, after);
  return patch.slice(patch.indexOf("---"));
}
