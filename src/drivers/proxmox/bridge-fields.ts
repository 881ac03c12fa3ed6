import type { BridgeDesired } from "../../desired/desired.ts";
import { flagOf, type Row, textOf } from "./api.ts";
import { isMark, markOf } from "./convert.ts";

/** Every parameter of a bridge that the API knows. What it does not know it keeps by itself, as lines of the stanza. */
export const knownFields = [
  "autostart",
  "bridge_ports",
  "bridge_vlan_aware",
  "bridge_vids",
  "cidr",
  "gateway",
  "cidr6",
  "gateway6",
  "comments",
  "comments6",
  "mtu",
] as const;
export type Fields = Readonly<Partial<Record<(typeof knownFields)[number], string>>>;

/** What the fleet wants of a bridge, with what others said of it. */
export function wantedFields(bridge: BridgeDesired, row: Row | undefined): Fields {
  const { port, address4, gateway4, silent } = bridge;
  const { bridge_vlan_aware, bridge_vids, mtu, cidr6, gateway6, comments6 } = row === undefined ? {} : fieldsIn(row);
  const others = row === undefined ? [] : commentLines(row).filter((line) => !isMark(line));
  return withoutAbsent({
    autostart: "1",
    bridge_ports: port,
    cidr: address4,
    gateway: gateway4,
    comments: [markOf(bridge), ...others].join("\n"),
    bridge_vlan_aware,
    bridge_vids,
    mtu,
    // A bridge that is to be silent has no address of IPv6.
    ...(silent ? {} : { cidr6, gateway6, comments6 }),
  });
}

/** As the API wants them back: flags as 1, what is empty left out. */
export function fieldsIn(row: Row): Fields {
  const text = (key: string): string | undefined => textOf(row, key)?.trim() || undefined;
  return withoutAbsent({
    autostart: flagOf(row, "autostart") ? "1" : undefined,
    bridge_ports: text("bridge_ports"),
    // Present means yes to Proxmox: it is never sent as 0.
    bridge_vlan_aware: flagOf(row, "bridge_vlan_aware") ? "1" : undefined,
    bridge_vids: text("bridge_vids"),
    cidr: text("cidr"),
    gateway: text("gateway"),
    cidr6: text("cidr6"),
    gateway6: text("gateway6"),
    comments: text("comments"),
    comments6: text("comments6"),
    mtu: text("mtu"),
  });
}

export function equalFields(a: Fields, b: Fields): boolean {
  return knownFields.every((key) => a[key] === b[key]);
}

function withoutAbsent(fields: Readonly<Record<string, string | undefined>>): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** Our line among those of the interface's comment. */
export function ownLine(row: Row): string | undefined {
  return commentLines(row).find(isMark);
}

export function commentLines(row: Row): readonly string[] {
  return (textOf(row, "comments") ?? "").split("\n").filter((line) => line !== "");
}

/** Lines of the stanza that the API keeps but has no parameter for, blanks made one. */
export function optionsIn(row: Row): readonly string[] {
  const options = row["options"];
  return Array.isArray(options) ? options.map((line) => oneBlank(String(line))) : [];
}

export function oneBlank(line: string): string {
  return line.trim().replaceAll(/\s+/g, " ");
}
