import { setTimeout as pause } from "node:timers/promises";
import { Failure } from "../../base/failure.ts";
import { equalValues } from "../../change/equal.ts";
import type { Value } from "../../change/item.ts";
import { canonicalPrefix } from "../pf/canonical.ts";
import { tunables } from "../pf/items.ts";
import { isAliasOfLane, isLaneAlias, isMarked, mark } from "../pf/names.ts";
import { fieldOf, textField, type WantedAlias, wantedAlias } from "../pf/target.ts";
import { isOurs } from "./api.ts";
import { parseRule, ruleBody } from "./convert.ts";
import { isPlainMapping, nameOf, ownRules } from "./observe.ts";
import { deviceOf, entriesOf, interfaceOn, nouns, parseAlias, pluralOf } from "./reading.ts";
import type { Work } from "./work.ts";

/**
 * Aliases with all their entries at once; details are left out, for they would have to fit the entries one by one. An
 * alias can be written by its index alone, so it is looked at what was met.
 */
export async function bringAliases(work: Work): Promise<boolean> {
  let changed = false;
  for (const [name] of work.target.all("alias")) {
    const wanted = wantedAlias(work.target, name);
    if (wanted === undefined) continue;
    const there = work.reading.aliases.find((row) => row.name === name);
    if (there !== undefined && there.type === wanted.type && entriesOf(there).join(" ") === wanted.entries.join(" "))
      continue;
    if (there !== undefined && there.type !== wanted.type) {
      await dropAlias(work, name);
      await createAlias(work, name, wanted);
    } else if (there === undefined) await createAlias(work, name, wanted);
    else await writeAlias(work, name, wanted);
    changed = true;
  }
  return changed;
}

/** An alias of networks takes no bare address. */
function sentAs(type: string, entries: readonly string[]): readonly string[] {
  if (type !== "network") return entries;
  return entries.map((each) => (each.includes("/") ? each : `${each}/128`));
}

async function createAlias({ rest, signal }: Work, name: string, { type, entries }: WantedAlias): Promise<void> {
  const about = isAliasOfLane(name, "f") ? "opened by the fleet file" : "of the rules of sixgate";
  await rest.create(
    nouns.alias,
    { name, type, descr: `${mark}${about}`, address: sentAs(type, entries), detail: [] },
    signal,
  );
}

async function writeAlias(
  { rest, reading, signal }: Work,
  name: string,
  { type, entries }: WantedAlias,
): Promise<void> {
  const [row] = await rest.list(pluralOf("alias"), { name }, signal);
  if (row === undefined) throw new Failure("E510", rest.name, `Alias ${name} went away meanwhile`, "plan again");
  const written = await rest.update(
    nouns.alias,
    { id: row["id"], name, address: sentAs(type, entries), detail: [] },
    signal,
  );
  // The API answers with the object as it stored it.
  const met = parseAlias(rest, written).name;
  if (met === name) return;
  // The index had moved on to somebody's: it gets back what it had when we last looked.
  const theirs = reading.aliases.find((each) => each.name === met);
  if (theirs !== undefined)
    await rest.update(
      nouns.alias,
      { id: written["id"], name: met, address: theirs.address, detail: theirs.detail },
      signal,
    );
  else
    throw new Failure(
      "E511",
      rest.name,
      `Alias ${met}, which is not ours, was written in place of ${name}`,
      "somebody made it at that moment: write its entries again",
    );
}

async function dropAlias({ rest, reading, signal }: Work, name: string): Promise<void> {
  // The API lets go of an alias in use, and the rules that use it then load without it, or not at all.
  const user = reading.rules.find(
    (rule) => !isOurs(rule) && [rule.source, rule.destination].some((place) => place.replace(/^!/, "") === name),
  );
  if (user !== undefined)
    throw new Failure(
      "E555",
      rest.name,
      `Rule "${user.descr ?? ""}" uses alias ${name}, and is not ours`,
      "change the rule, or leave the opening in the fleet file",
    );
  await rest.remove(pluralOf("alias"), { name }, isOurs, signal);
}

export async function dropAliases(work: Work): Promise<boolean> {
  let changed = false;
  for (const row of work.reading.aliases) {
    if (!isMarked(row.descr ?? "") || isLaneAlias(row.name) || work.target.has(`alias ${row.name}`)) continue;
    await dropAlias(work, row.name);
    changed = true;
  }
  return changed;
}

/** Rules that differ are made anew: a rule has nothing by which a change of it could be aimed. True when any was sent. */
export async function bringRules(work: Work): Promise<boolean> {
  const { rest, reading, target, signal } = work;
  const right = new Set<string>();
  let changed = false;
  const byName = Map.groupBy(ownRules(reading.rules), nameOf);
  for (const [name, rows] of byName) {
    const [first] = rows;
    const value = target.value(`rule ${name}`);
    if (
      first !== undefined &&
      rows.length === 1 &&
      value !== undefined &&
      equalValues(parseRule(reading, first, name).value, value)
    ) {
      right.add(name);
      continue;
    }
    await rest.remove(pluralOf("rule"), { descr: `${mark}${name}` }, isOurs, signal);
    changed = true;
  }
  for (const [name, value] of target.all("rule")) {
    if (name === "trackers" || right.has(name)) continue;
    if (changed && work.exec === undefined) await pause(work.pace, undefined, signal === undefined ? {} : { signal });
    await createRule(work, name, value);
    changed = true;
  }
  return (await separateTrackers(work, changed)) || changed;
}

async function createRule({ rest, reading, signal }: Work, name: string, value: Value): Promise<void> {
  const body = ruleBody(name, value);
  const on = textField(value, "on") ?? "no interface";
  const row = interfaceOn(reading, on);
  if (body === undefined || row === undefined)
    throw new Failure("E511", rest.name, `Rule "${name}" can't be made on ${on}`, "look at `sixgate plan`");
  await rest.create(nouns.rule, { ...body, interface: [row.id] }, signal);
}

/**
 * Rules made within one second share a tracker, by which pf counts and by which we find them again. The device's own PHP
 * can give them new ones; without a shell, rules that share one are made again, one a second.
 */
async function separateTrackers(work: Work, changed: boolean): Promise<boolean> {
  if (changed) await work.reread();
  const count = Map.groupBy(work.reading.rules, ({ tracker }) => tracker);
  const shared = work.reading.rules.filter((row) => isOurs(row) && (count.get(row.tracker)?.length ?? 0) > 1);
  if (shared.length === 0) return false;
  if (work.exec !== undefined) return true;
  for (const row of shared.slice(1)) {
    const name = nameOf(row);
    await work.rest.remove(pluralOf("rule"), { descr: row.descr ?? "" }, isOurs, work.signal);
    await pause(work.pace, undefined, work.signal === undefined ? {} : { signal: work.signal });
    const value = work.target.value(`rule ${name}`);
    if (value !== undefined) await createRule(work, name, value);
  }
  return true;
}

/** Outbound translation of IPv4: by the device's own rules, and a mapping of ours that holds in any mode. */
export async function bringNat(work: Work): Promise<boolean> {
  const { rest, reading, target, signal } = work;
  let changed = false;
  const mode = target.value("nat4 mode");
  if (mode === "in use" && reading.natMode !== "hybrid" && reading.natMode !== "advanced") {
    await rest.update("/firewall/nat/outbound/mode", { mode: "hybrid" }, signal);
    changed = true;
  } else if (typeof mode === "string" && mode !== "in use" && mode !== reading.natMode) {
    await rest.update("/firewall/nat/outbound/mode", { mode }, signal);
    changed = true;
  }
  const wanted = target.all("nat4").filter(([from]) => from !== "mode");
  const mine = reading.mappings.filter((row) => isMarked(row.descr ?? ""));
  const isRight = (row: (typeof mine)[number]): boolean =>
    isPlainMapping(reading, row) &&
    wanted.some(
      ([from, value]) =>
        from === canonicalPrefix(row.source) && fieldOf(value, "device") === deviceOf(reading, row.interface),
    );
  for (const row of mine.filter((each) => !isRight(each))) {
    await rest.remove(pluralOf("mapping"), { descr: row.descr ?? "" }, isOurs, signal);
    changed = true;
  }
  for (const [from, value] of wanted) {
    if (mine.some((row) => isRight(row) && canonicalPrefix(row.source) === from)) continue;
    const uplink = interfaceOn(reading, textField(value, "device") ?? "");
    if (uplink === undefined) continue;
    const body = {
      interface: uplink.id,
      source: from,
      destination: "any",
      target: `${uplink.id}:ip`,
      descr: `${mark}${from}`,
    };
    await rest.create(nouns.mapping, body, signal);
    changed = true;
  }
  return changed;
}

export async function bringTunables({ rest, reading, target, signal }: Work): Promise<void> {
  for (const { tunable, value, descr } of reading.tunables) {
    if (!isMarked(descr ?? "") || target.value(`tunable ${tunable}`) === value) continue;
    await rest.remove(pluralOf("tunable"), { tunable }, isOurs, signal, { apply: "true" });
  }
  for (const [tunable, value] of target.all("tunable")) {
    if (reading.tunables.some((row) => row.tunable === tunable && row.value === value)) continue;
    if (typeof value !== "string" || !Object.hasOwn(tunables, tunable)) continue;
    await rest.create(
      nouns.tunable,
      { tunable, value, descr: `${mark}no neighbour moves a route`, apply: true, async: false },
      signal,
    );
  }
}
