import { type ChangeSet, keyOf } from "../../change/change-set.ts";
import type { VmDesired, VmNic } from "../../desired/desired.ts";
import { type Call, flagOf, type Pve, type Row, textOf } from "./api.ts";
import { setName } from "./convert.ts";
import { formatNet, parseNet, type Vm, vmPath } from "./vms.ts";

/** Places of a VM's NICs that a change set touches, and what of them. */
export type Touched = {
  readonly nics: ReadonlySet<number>;
  readonly ipconfigs: ReadonlySet<number>;
  readonly sources: ReadonlySet<number>;
};

export function touchedBy({ changes }: ChangeSet, { name }: VmDesired): Touched {
  const places = (word: string, key: string): ReadonlySet<number> =>
    new Set(
      changes.flatMap((change) => {
        const found = keyOf(change).split(" ");
        return found[0] === word && found[1] === name ? [Number(found[2]?.slice(key.length))] : [];
      }),
    );
  return { nics: places("nic", "net"), ipconfigs: places("ipconfig", "ipconfig"), sources: places("sources", "net") };
}

/** One write of the VM's configuration, with the digest that it was read at; none where nothing of it changes. */
export function configCalls(pve: Pve, vm: VmDesired, there: Vm, { nics, ipconfigs }: Touched): readonly Call[] {
  const form: Record<string, string> = {};
  for (const [place, nic] of vm.nics.entries()) {
    if (nics.has(place)) form[`net${place}`] = formatNet(parseNet(textOf(there.config, `net${place}`) ?? ""), nic);
    if (ipconfigs.has(place) && nic.ipconfig !== undefined) form[`ipconfig${place}`] = nic.ipconfig;
  }
  if (Object.keys(form).length === 0) return [];
  const digest = textOf(there.config, "digest");
  return [
    {
      method: "PUT",
      path: vmPath(pve, vm.id, "config"),
      form: { ...form, ...(digest === undefined ? {} : { digest }) },
    },
  ];
}

/** The same back: what was there as it was, what was not taken away. */
export function configUndo(pve: Pve, vm: VmDesired, there: Vm, { nics, ipconfigs }: Touched): readonly Call[] {
  const keys = [...[...nics].map((place) => `net${place}`), ...[...ipconfigs].map((place) => `ipconfig${place}`)];
  if (keys.length === 0) return [];
  const form = formBack(there.config, keys);
  return [{ method: "PUT", path: vmPath(pve, vm.id, "config"), form }];
}

/** These keys as they were: what was not there is named to go. */
function formBack(before: Row, keys: readonly string[]): Readonly<Record<string, string>> {
  const old = keys.flatMap((key) => {
    const value = textOf(before, key);
    return value === undefined ? [] : [[key, value] as const];
  });
  const made = keys.filter((key) => textOf(before, key) === undefined);
  return { ...Object.fromEntries(old), ...(made.length === 0 ? {} : { delete: made.join(",") }) };
}

/** A set is filled before the firewall is switched on: an empty one would drop everything. */
export function sourcesCalls(pve: Pve, vm: VmDesired, there: Vm, { sources }: Touched): readonly Call[] {
  const calls = [...sources].flatMap((place) => setCalls(pve, vm, place, vm.nics[place], there));
  if (calls.length === 0 && (sources.size === 0 || flagOf(there.firewall, "enable"))) return [];
  return [...calls, ...switchOn(pve, vm, there)];
}

function setCalls(pve: Pve, { id }: VmDesired, place: number, nic: VmNic | undefined, { sets }: Vm): readonly Call[] {
  const wanted: readonly string[] = nic?.sources ?? [];
  const now = sets.get(setName(place));
  const path = vmPath(pve, id, "firewall", "ipset");
  const inside = vmPath(pve, id, "firewall", "ipset", setName(place));
  return [
    ...(now === undefined
      ? [{ method: "POST" as const, path, form: { name: setName(place), comment: "sixgate" } }]
      : []),
    ...wanted
      .filter((cidr) => !(now ?? []).includes(cidr))
      .map((cidr): Call => ({ method: "POST", path: inside, form: { cidr } })),
    ...(now ?? [])
      .filter((cidr) => !wanted.includes(cidr))
      .map(
        (cidr): Call => ({
          method: "DELETE",
          path: `${inside}/${encodeURIComponent(cidr.replace(/^! /, ""))}`,
          form: {},
        }),
      ),
  ];
}

/** Switched on, Proxmox's firewall drops what comes in unless told otherwise. The gateway decides, so it is told. */
function switchOn(pve: Pve, { id }: VmDesired, { firewall }: Vm): readonly Call[] {
  if (flagOf(firewall, "enable")) return [];
  const digest = textOf(firewall, "digest");
  const form = { enable: "1", policy_in: "ACCEPT", ...(digest === undefined ? {} : { digest }) };
  return [{ method: "PUT", path: vmPath(pve, id, "firewall", "options"), form }];
}

export function sourcesUndo(
  pve: Pve,
  { id }: VmDesired,
  { sets, firewall }: Vm,
  { sources }: Touched,
): readonly Call[] {
  if (sources.size === 0) return [];
  const path = vmPath(pve, id, "firewall", "ipset");
  const off: readonly Call[] = flagOf(firewall, "enable")
    ? []
    : [
        {
          method: "PUT",
          path: vmPath(pve, id, "firewall", "options"),
          form: formBack(firewall, ["enable", "policy_in"]),
        },
      ];
  const back = [...sources].flatMap((place): readonly Call[] => {
    const inside = vmPath(pve, id, "firewall", "ipset", setName(place));
    const before = sets.get(setName(place));
    const gone: Call = { method: "DELETE", path: inside, form: { force: "1" } };
    if (before === undefined) return [gone];
    const entry = (cidr: string): Call => ({
      method: "POST",
      path: inside,
      form: cidr.startsWith("! ") ? { cidr: cidr.slice(2), nomatch: "1" } : { cidr },
    });
    return [gone, { method: "POST", path, form: { name: setName(place) } }, ...before.map(entry)];
  });
  return [...off, ...back];
}
