import { type ChangeSet, keyOf } from "../../change/change-set.ts";
import type { HypervisorDesired } from "../../desired/desired.ts";
import { type Call, type Pve, type Row, textOf } from "./api.ts";
import { equalFields, type Fields, fieldsIn, knownFields, wantedFields } from "./bridge-fields.ts";
import { type Network, networkPath } from "./network.ts";

/** An edit of one bridge. Nothing is in force until the whole is applied. */
export type Step = { readonly name: string; readonly call: Call };

/** The edits that a change set means, those first that make room: a port, or the one default gateway of a node. */
export function stepsOf(pve: Pve, network: Network, desired: HypervisorDesired, set: ChangeSet): readonly Step[] {
  const steps = set.changes.flatMap((change): readonly Step[] => {
    const key = keyOf(change);
    if (!key.startsWith("bridge ")) return [];
    const name = key.slice("bridge ".length);
    const row = network.get(name);
    const bridge = desired.bridges.find((each) => each.name === name);
    if (bridge === undefined) return row === undefined ? [] : [{ name, call: remove(pve, name) }];
    const fields = wantedFields(bridge, row);
    return [{ name, call: row === undefined ? make(pve, name, fields) : put(pve, name, fieldsIn(row), fields) }];
  });
  return inRoom(steps);
}

/** The edits that bring bridges from what is there now to what was there before; none for those that are so already. */
export function stepsBack(pve: Pve, now: Network, before: Network, names: Iterable<string>): readonly Step[] {
  const steps = [...names].flatMap((name): readonly Step[] => {
    const [at, to] = [now.get(name), before.get(name)];
    if (to === undefined) return at === undefined ? [] : [{ name, call: remove(pve, name) }];
    if (at === undefined) return [{ name, call: make(pve, name, fieldsIn(to)) }];
    return equalFields(fieldsIn(at), fieldsIn(to)) ? [] : [{ name, call: put(pve, name, fieldsIn(at), fieldsIn(to)) }];
  });
  return inRoom(steps);
}

function inRoom(steps: readonly Step[]): readonly Step[] {
  const rank = ({ call }: Step): number =>
    call.method === "DELETE" ? 0 : /bridge_ports|gateway/.test(call.form["delete"] ?? "") ? 1 : 2;
  return steps.toSorted((a, b) => rank(a) - rank(b));
}

function make(pve: Pve, name: string, fields: Fields): Call {
  return { method: "POST", path: networkPath(pve), form: { iface: name, type: "bridge", ...fields } };
}

function remove(pve: Pve, name: string): Call {
  return { method: "DELETE", path: networkPath(pve, name), form: {} };
}

/** Always the full set, since a PUT without an address drops it and more; what is to go is named. */
function put(pve: Pve, name: string, from: Fields, to: Fields): Call {
  const gone = knownFields.filter((key) => from[key] !== undefined && to[key] === undefined);
  return {
    method: "PUT",
    path: networkPath(pve, name),
    form: { type: "bridge", ...to, ...(gone.length === 0 ? {} : { delete: gone.join(",") }) },
  };
}

/** What is not touched, as text: an edit of somebody else's in between shows. */
export function untouched(network: Network, names: ReadonlySet<string>): string {
  const rest = [...network].filter(([name]) => !names.has(name)).map(([name, row]) => [name, sorted(row)]);
  return JSON.stringify(rest.toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1)));
}

/** What somebody says of an interface: the rest moves by itself, or is filled in when Proxmox writes the file again. */
const said = ["type", "autostart", "bridge_ports", "slaves", "vlan-id", "vlan-raw-device", "mtu", "comments"];
const addresses = ["cidr", "gateway", "cidr6", "gateway6"];

function sorted(row: Row): readonly (string | undefined)[] {
  return [...said, ...addresses].map((key) => textOf(row, key)?.trim());
}
