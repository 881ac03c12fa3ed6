import type { Code } from "../base/codes.ts";
import type { Diagnostic } from "../base/diagnostic.ts";
import type { DeviceName } from "../base/name.ts";
import { printable } from "../base/printable.ts";
import type { Layer } from "../desired/desired.ts";
import { type ChangeSet, keyOf } from "./change-set.ts";
import { isList } from "./equal.ts";
import type { Value } from "./item.ts";

/** How we came in to a device. Absent for one we are on ourselves. */
export type Access = {
  /** The device's own address that we speak to, without a length. */
  readonly address: string;
  /** The device's route back to us: a prefix, `0.0.0.0/0` or `::/0` for its default route. */
  readonly route?: string;
  /** From which address, and on which of the device's interfaces. */
  readonly from?: string;
  readonly device?: string;
};

/** What is known of one layer of one device at the time of the plan. */
export type GuardFact = {
  readonly device: DeviceName;
  readonly layer: Layer;
  readonly access?: Access;
  /** Why we could not come in again as we did, once this layer is as planned. Absent where we could. */
  readonly shutOut?: string | undefined;
  /** How many items of the structure lane were observed: the whole, for the share that would go. */
  readonly structure: number;
  readonly undo: "watchdog" | "none";
};

/** What the operator takes upon himself, by flag. */
export type GuardOverrides = { readonly acceptLockoutRisk: boolean; readonly acceptRemovals: boolean };

/** More structure than this goes at once only when both bounds agree: a lab of six items may lose three. */
export const removalLimit: Readonly<{ items: number; share: number }> = { items: 10, share: 0.2 };
/** Openings that close at once, over all gateways of the plan. */
export const closingLimit = 50;

const lockoutFlag = "--accept-lockout-risk";
const removalFlag = "--accept-removals";

/**
 * What must not be done without saying so: cutting the way we came in by (E601, by a filter E616), taking a default route (E602),
 * removing much (E603, E604), changing a device from afar that can't undo by itself (E605), changing one that nothing
 * is known of (E606, without a flag: unknown is not empty). Sets without changes are never refused.
 */
export function guard(
  sets: readonly ChangeSet[],
  facts: readonly GuardFact[],
  overrides: GuardOverrides,
): readonly Diagnostic[] {
  const known = new Map(facts.map((fact) => [`${fact.device} ${fact.layer}`, fact]));
  const busy = sets.filter(({ changes }) => changes.length > 0);
  const found = busy.flatMap((set) => {
    const fact = known.get(`${set.device} ${set.layer}`);
    if (fact === undefined) return [unknown(set)];
    return [
      ...(overrides.acceptLockoutRisk ? [] : lockouts(set, fact)),
      ...(overrides.acceptRemovals ? [] : removals(set, fact)),
    ];
  });
  return [...found, ...(overrides.acceptRemovals ? [] : closings(busy))];
}

function unknown(set: ChangeSet): Diagnostic {
  return refusal("E606", set, "Changes for a device that was not read", "plan again with the device within reach");
}

function lockouts(set: ChangeSet, fact: GuardFact): readonly Diagnostic[] {
  const { access } = fact;
  const found = access === undefined ? [] : cutAccess(set, access);
  for (const change of set.changes) {
    if (change.kind !== "delete" || !isDefaultRoute(keyOf(change))) continue;
    found.push(
      refusal(
        "E602",
        set,
        `"${printable(keyOf(change))}" would go, the device's way out`,
        `keep a default route, or ${lockoutFlag}`,
      ),
    );
  }
  if (fact.shutOut !== undefined && set.changes.some(isStructure)) {
    const fix = `set the gateway's management and admins so that we may log in, or ${lockoutFlag}`;
    found.push(refusal("E616", set, printable(fact.shutOut), fix));
  }
  if (access !== undefined && fact.undo === "none") {
    const fix = `change it from a console, or ${lockoutFlag}`;
    found.push(refusal("E605", set, "The device can't undo by itself, and we are not on it", fix));
  }
  return found;
}

/** Openings alone shut nobody out. */
function isStructure(change: ChangeSet["changes"][number]): boolean {
  return (change.kind === "delete" ? change.before : change.after).lane === "structure";
}

function isDefaultRoute(key: string): boolean {
  return key === "route ::/0" || key === "route 0.0.0.0/0";
}

/** Live items by their key; files and anything else by whether the address is still named after the change. */
function cutAccess(set: ChangeSet, access: Access): Diagnostic[] {
  const kept = set.changes.some((change) => change.kind !== "delete" && mentions(change.after.value, access.address));
  const cut = set.changes.filter((change) => {
    if (change.kind === "create") return false;
    const key = change.before.key;
    if (access.route !== undefined && key === `route ${access.route}`) return true;
    if (key.startsWith("address ")) return named(key, access.address);
    return !kept && mentions(change.before.value, access.address);
  });
  const fix = `leave ${printable(access.address)} as it is or come in by another way, or ${lockoutFlag}`;
  return cut.map((change) =>
    refusal("E601", set, `"${printable(keyOf(change))}" carries our own access to the device`, fix),
  );
}

function mentions(value: Value, address: string): boolean {
  if (typeof value === "string") return named(value, address);
  if (typeof value !== "object" || value === null) return false;
  return isList(value)
    ? value.some((each) => mentions(each, address))
    : Object.values(value).some((each) => mentions(each, address));
}

/** As a word of its own: 10.0.0.1 is not in 10.0.0.12, nor 2001:db8::1 in 2001:db8::1f. */
function named(text: string, address: string): boolean {
  for (let at = text.indexOf(address); at >= 0; at = text.indexOf(address, at + 1)) {
    const around = `${text[at - 1] ?? " "}${text[at + address.length] ?? " "}`;
    if (!/[0-9a-f.:]/i.test(around)) return true;
  }
  return false;
}

function removals(set: ChangeSet, fact: GuardFact): readonly Diagnostic[] {
  const gone = set.changes.filter((change) => change.kind === "delete" && change.before.lane === "structure").length;
  if (gone <= removalLimit.items || gone <= fact.structure * removalLimit.share) return [];
  return [
    refusal(
      "E603",
      set,
      `${gone} of ${fact.structure} objects would be removed`,
      `look at the plan for what was meant, or ${removalFlag}`,
    ),
  ];
}

function closings(sets: readonly ChangeSet[]): readonly Diagnostic[] {
  const closing = (set: ChangeSet): number =>
    set.changes.filter((change) => change.kind === "delete" && change.before.lane === "members").length;
  const all = sets.reduce((sum, set) => sum + closing(set), 0);
  const first = sets.find((set) => closing(set) > 0);
  if (first === undefined || all <= closingLimit) return [];
  return [
    refusal(
      "E604",
      first,
      `${all} openings would close at once, more than ${closingLimit}`,
      `look at the plan for what was meant, or ${removalFlag}`,
    ),
  ];
}

function refusal(code: Code, set: ChangeSet, text: string, fix: string): Diagnostic {
  return { code, severity: "error", at: `${set.device} ${set.layer}`, text, fix };
}
