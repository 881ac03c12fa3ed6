import type { ChangeSet } from "../../change/change-set.ts";
import type { BridgeDesired, HypervisorDesired } from "../../desired/desired.ts";
import { type Call, flagOf, type Pve, type Row, textOf } from "./api.ts";
import { isMark, markOf } from "./convert.ts";
import { commentLines, type Network, networkPath } from "./network.ts";

/** Every parameter of a bridge that the API knows. What it does not know it keeps by itself, as lines of the stanza. */
const known = [
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
type Fields = Readonly<Partial<Record<(typeof known)[number], string>>>;

/** A step forward, and the one that takes it back. Nothing is in force until the whole is applied. */
export type Step = { readonly forward: Call; readonly back: Call };

/** The edits that a change set means, in the order of its changes. */
export function stepsOf(pve: Pve, network: Network, desired: HypervisorDesired, set: ChangeSet): readonly Step[] {
  return set.changes.flatMap((change): readonly Step[] => {
    const key = (change.kind === "delete" ? change.before : change.after).key;
    if (!key.startsWith("bridge ")) return [];
    const name = key.slice("bridge ".length);
    const row = network.get(name);
    const bridge = desired.bridges.find((each) => each.name === name);
    if (bridge === undefined)
      return row === undefined ? [] : [{ forward: remove(pve, name), back: make(pve, name, fieldsIn(row)) }];
    const fields = wantedFields(bridge, row);
    if (row === undefined) return [{ forward: make(pve, name, fields), back: remove(pve, name) }];
    const before = fieldsIn(row);
    return [{ forward: put(pve, name, before, fields), back: put(pve, name, fields, before) }];
  });
}

function make(pve: Pve, name: string, fields: Fields): Call {
  return { method: "POST", path: networkPath(pve), form: { iface: name, type: "bridge", ...fields } };
}

function remove(pve: Pve, name: string): Call {
  return { method: "DELETE", path: networkPath(pve, name), form: {} };
}

/** Always the full set, since a PUT without an address drops it and more; what is to go is named. */
function put(pve: Pve, name: string, from: Fields, to: Fields): Call {
  const gone = known.filter((key) => from[key] !== undefined && to[key] === undefined);
  return {
    method: "PUT",
    path: networkPath(pve, name),
    form: { type: "bridge", ...to, ...(gone.length === 0 ? {} : { delete: gone.join(",") }) },
  };
}

function wantedFields(bridge: BridgeDesired, row: Row | undefined): Fields {
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
function fieldsIn(row: Row): Fields {
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

function withoutAbsent(fields: Readonly<Record<string, string | undefined>>): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** What is not touched, as text: an edit of somebody else's in between shows. */
export function untouched(network: Network, steps: readonly Step[]): string {
  const names = new Set(
    steps.map(({ forward }) => forward.form["iface"] ?? decodeURIComponent(forward.path.split("/").at(-1) ?? "")),
  );
  const rest = [...network].filter(([name]) => !names.has(name)).map(([name, row]) => [name, sorted(row)]);
  return JSON.stringify(rest.toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1)));
}

/** What somebody says of an interface: the rest moves by itself, or is filled in when Proxmox writes the file again. */
const said = ["type", "autostart", "bridge_ports", "slaves", "vlan-id", "vlan-raw-device", "mtu", "comments"];
const addresses = ["cidr", "gateway", "cidr6", "gateway6"];

function sorted(row: Row): readonly (string | undefined)[] {
  return [...said, ...addresses].map((key) => textOf(row, key)?.trim());
}
