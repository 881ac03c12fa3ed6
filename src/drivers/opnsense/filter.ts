import { Failure } from "../../base/failure.ts";
import { equalValues } from "../../change/equal.ts";
import { canonicalPrefix } from "../pf/canonical.ts";
import { tunables } from "../pf/items.ts";
import { isAliasOfLane, isLaneAlias, isMarked, mark } from "../pf/names.ts";
import { fieldOf, textField, wantedAlias } from "../pf/target.ts";
import { parseRule, ruleBody } from "./convert.ts";
import { isPlainSnat, isSet, nameOf, ownRules } from "./observe.ts";
import { deviceOf, entriesOf, interfaceOn, paths } from "./reading.ts";
import type { Work } from "./work.ts";

/** An alias of networks takes no bare address. */
export function contentOf(type: string, entries: readonly string[]): string {
  return entries.map((each) => (type !== "network" || each.includes("/") ? each : `${each}/128`)).join("\n");
}

/** Aliases with all their entries at once, loaded into their tables before any rule asks for them. */
export async function bringAliases(work: Work): Promise<void> {
  const { core, reading, target, signal } = work;
  let changed = work.forced.tables;
  for (const [name] of target.all("alias")) {
    const wanted = wantedAlias(target, name);
    if (wanted === undefined) continue;
    const there = reading.aliases.find((row) => row.name === name);
    const { type, entries } = wanted;
    if (there?.enabled === true && there.type === type && entriesOf(there).join(" ") === entries.join(" ")) continue;
    const about = isAliasOfLane(name, "f") ? "opened by the fleet file" : "of the rules of sixgate";
    // With its name always: older versions take one that is missing for an empty new one, and rename.
    const alias = { enabled: "1", name, type, content: contentOf(type, entries), description: `${mark}${about}` };
    if (there === undefined) await core.add(`${paths.aliases}/addItem`, { alias }, signal);
    else await core.set(`${paths.aliases}/setItem/${there.uuid}`, { alias }, signal);
    changed = true;
  }
  if (changed) await applyAliases(work);
}

async function applyAliases(work: Work): Promise<void> {
  await work.core.apply(`${paths.aliases}/reconfigure`, work.signal);
  await work.reread();
}

/** The device itself refuses to let go of an alias that a rule uses. */
export async function dropAliases(work: Work): Promise<void> {
  const gone = work.reading.aliases.filter(
    ({ name, description }) => isMarked(description ?? "") && !isLaneAlias(name) && !work.target.has(`alias ${name}`),
  );
  for (const { uuid } of gone) await work.core.remove(`${paths.aliases}/delItem/${uuid}`, work.signal);
  if (gone.length > 0) await applyAliases(work);
}

/**
 * Rules and translations, then one reload. Rules that differ are made anew, under a new uuid: that a uuid is loaded then
 * says that the rule is, as it is configured.
 */
export async function bringRules(work: Work): Promise<void> {
  const { core, reading, target, signal } = work;
  const right = new Set<string>();
  const wrong: string[] = [];
  for (const row of ownRules(reading.rules)) {
    const name = nameOf(row);
    const value = target.value(`rule ${name}`);
    if (value !== undefined && !right.has(name) && equalValues(parseRule(reading, row, name).value, value))
      right.add(name);
    else wrong.push(row.uuid);
  }
  const missing = target.all("rule").filter(([name]) => !right.has(name));
  for (const [name, value] of missing) {
    const on = textField(value, "on") ?? "no interface";
    const id = interfaceOn(reading, on)?.identifier;
    const rule = id === undefined ? undefined : ruleBody(name, value, id);
    if (rule === undefined)
      throw new Failure("E511", core.name, `Rule "${name}" can't be made on ${on}`, "look at `sixgate plan`");
    await core.add(`${paths.rules}/addRule`, { rule }, signal);
  }
  for (const uuid of wrong) {
    await core.remove(`${paths.rules}/delRule/${uuid}`, signal);
    work.gone.add(uuid);
  }
  const nat = await bringNat(work);
  if (missing.length + wrong.length === 0 && !nat && !work.forced.rules) return;
  await core.apply(`${paths.rules}/apply`, signal);
  await work.reread();
}

/** Outbound translation of IPv4. */
async function bringNat({ core, reading, target, signal }: Work): Promise<boolean> {
  let changed = false;
  const wanted = target.all("nat4");
  const right = new Set<string>();
  for (const row of reading.snat.filter(({ description }) => isMarked(description ?? ""))) {
    const from = canonicalPrefix(row.source_net ?? "any");
    const value = wanted.find(([each]) => each === from)?.[1];
    if (isPlainSnat(row) && !right.has(from) && fieldOf(value, "device") === deviceOf(reading, row.interface ?? "")) {
      right.add(from);
      continue;
    }
    await core.remove(`${paths.snat}/delRule/${row.uuid ?? ""}`, signal);
    changed = true;
  }
  for (const [from, value] of wanted) {
    const id = interfaceOn(reading, textField(value, "device") ?? "")?.identifier;
    if (right.has(from) || id === undefined) continue;
    const rule = {
      enabled: "1",
      interface: id,
      ipprotocol: "inet",
      protocol: "any",
      source_net: from,
      destination_net: "any",
      target: `${id}ip`,
      description: `${mark}${from}`,
    };
    await core.add(`${paths.snat}/addRule`, { rule }, signal);
    changed = true;
  }
  return changed;
}

/** What nobody set is written over its default; what somebody set stands in the way, and was said by then. */
export async function bringTunables(work: Work): Promise<void> {
  const { core, reading, target, signal } = work;
  if (!reading.abilities.tunables) return;
  let changed = false;
  for (const { uuid = "", tunable, value, descr } of reading.tunables.filter(isSet)) {
    if (!isMarked(descr ?? "") || target.value(`tunable ${tunable}`) === value) continue;
    await core.remove(`${paths.tunables}/delItem/${uuid}`, signal);
    changed = true;
  }
  for (const [tunable, value] of target.all("tunable")) {
    if (reading.tunables.some((row) => isSet(row) && row.tunable === tunable && row.value === value)) continue;
    if (typeof value !== "string" || !Object.hasOwn(tunables, tunable)) continue;
    const sysctl = { tunable, value, descr: `${mark}no neighbour moves a route` };
    const unset = reading.tunables.find((row) => !isSet(row) && row.tunable === tunable);
    if (unset === undefined) await core.add(`${paths.tunables}/addItem`, { sysctl }, signal);
    else await core.set(`${paths.tunables}/setItem/${tunable}`, { sysctl }, signal);
    changed = true;
  }
  if (!changed) return;
  await core.apply(`${paths.tunables}/reconfigure`, signal);
  await work.reread();
}
