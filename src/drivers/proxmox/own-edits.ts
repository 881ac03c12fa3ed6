import type { BridgeDesired, HypervisorDesired } from "../../desired/desired.ts";
import { type Row, textOf } from "./api.ts";
import { commentLines, equalFields, fieldsIn, oneBlank, optionsIn, ownLine, wantedFields } from "./bridge-fields.ts";
import { silencing } from "./convert.ts";
import { type Edit, readEdits } from "./waiting-diff.ts";

type Rows = ReadonlyMap<string, Row>;

/**
 * Where all that waits to be applied are edits that an apply of this fleet left behind: the interfaces in force, read
 * out of the diff that the API gives. Undefined where anything else waits, or where it can't be told: those are
 * somebody's. An edit is ours when it is exactly what would be sent for the bridge, so dropping it loses nothing.
 */
export function withoutOwnEdits(staged: Rows, diff: string, desired: HypervisorDesired): Rows | undefined {
  const wanted = new Map(desired.bridges.map((bridge) => [bridge.name, bridge]));
  const edits = readEdits(diff, (lines) => holderOf(lines, staged, wanted));
  if (edits === undefined) return undefined;
  const inForce = new Map(staged);
  for (const [name, edit] of edits) {
    const now = staged.get(name);
    // Proxmox names every card of the machine when it writes the file anew.
    if (isCard(now, edit)) continue;
    const before = rowBefore(name, now, edit);
    if (before === "unclear" || !isOurs(wanted.get(name), now, before)) return undefined;
    if (before === "absent") inForce.delete(name);
    else inForce.set(name, before);
  }
  return inForce;
}

function isCard(now: Row | undefined, { added, removed, heads, auto }: Edit): boolean {
  const bare = added.length + removed.length === 0 && heads.removed.size === 0 && auto === undefined;
  return bare && textOf(now, "type") === "eth";
}

function isOurs(bridge: BridgeDesired | undefined, now: Row | undefined, before: Row | "absent"): boolean {
  const was = before === "absent" ? undefined : before;
  if (bridge === undefined) return now === undefined && was !== undefined && ownLine(was) !== undefined;
  if (now === undefined || !equalFields(fieldsIn(now), wantedFields(bridge, was))) return false;
  const [options, old] = [optionsIn(now), was === undefined ? [] : optionsIn(was)];
  const ours = silencing(bridge);
  return (
    old.every((line) => options.includes(line)) && options.every((line) => old.includes(line) || ours.includes(line))
  );
}

/** The one bridge of the fleet that has all these lines in its stanza, for a piece of the diff that does not name it. */
function holderOf(lines: readonly string[], staged: Rows, wanted: ReadonlyMap<string, unknown>): string | undefined {
  const all = [...staged].filter(([name, row]) => wanted.has(name) && lines.every((line) => linesOf(row).has(line)));
  return all.length === 1 ? all[0]?.[0] : undefined;
}

function linesOf(row: Row): ReadonlySet<string> {
  const { cidr, gateway, bridge_ports = "none", mtu } = fieldsIn(row);
  const words = { address: cidr, gateway, "bridge-ports": bridge_ports, mtu };
  return new Set([
    ...Object.entries(words).flatMap(([key, value]) => (value === undefined ? [] : [`${key} ${value}`])),
    `bridge-stp ${textOf(row, "bridge_stp") ?? "off"}`,
    `bridge-fd ${textOf(row, "bridge_fd") ?? "0"}`,
    ...optionsIn(row),
    ...commentLines(row).map((line) => `#${oneBlank(line)}`),
  ]);
}

const parameters: Readonly<Record<string, string>> = {
  address: "cidr",
  gateway: "gateway",
  "bridge-ports": "bridge_ports",
  "bridge-vids": "bridge_vids",
  mtu: "mtu",
};
/** Filled in by Proxmox where they are not said. */
const filledIn = /^bridge-(?:stp off|fd 0)$/;

/** The interface before its edit: what was added taken out of it, what was removed put back. */
function rowBefore(name: string, now: Row | undefined, edit: Edit): Row | "absent" | "unclear" {
  const { heads, added, removed, auto } = edit;
  if (heads.added.has("inet") && !heads.removed.has("inet")) return "absent";
  const row: Record<string, unknown> = now === undefined ? { iface: name, type: "bridge", active: 1 } : { ...now };
  let comments = now === undefined ? [] : commentLines(now).map(oneBlank);
  let options = now === undefined ? [] : [...optionsIn(now)];
  for (const { text, six } of added) {
    const key = parameterOf(text, six);
    if (key !== undefined) delete row[key];
    else if (text.startsWith("#") && !six && comments.includes(text.slice(1)))
      comments = comments.filter((line) => line !== text.slice(1));
    else if (options.includes(text)) options = options.filter((line) => line !== text);
    else if (!filledIn.test(text)) return "unclear";
  }
  const said = removed.filter(({ six, text }) => text.startsWith("#") && !six).map(({ text }) => text.slice(1));
  for (const { text, six } of removed) {
    const key = parameterOf(text, six);
    if (key !== undefined) row[key] = valueOf(text);
    else if (!text.startsWith("#")) options = [...options, text];
  }
  if (auto !== undefined) row["autostart"] = auto === "removed" ? 1 : 0;
  return { ...row, options, comments: [...said, ...comments].join("\n") };
}

function parameterOf(text: string, six: boolean): string | undefined {
  const word = text.split(" ")[0] ?? "";
  const key = parameters[word];
  if (word === "bridge-vlan-aware") return "bridge_vlan_aware";
  return key !== undefined && six && /^(?:cidr|gateway)$/.test(key) ? `${key}6` : key;
}

function valueOf(text: string): string {
  const [word, ...rest] = text.split(" ");
  if (word === "bridge-vlan-aware") return "1";
  const value = rest.join(" ");
  return word === "bridge-ports" && value === "none" ? "" : value;
}
