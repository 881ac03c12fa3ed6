import { Failure } from "../../base/failure.ts";
import type { GatewayDesired } from "../../desired/desired.ts";
import { apiOf, type Way } from "../../runtime/way.ts";
import type { LaneKind, MembersLane } from "../members-lane.ts";
import { ruleItem } from "../pf/items.ts";
import { openPfLane } from "../pf/lane/kind.ts";
import type { LaneLimits, LaneStructure } from "../pf/lane/lane.ts";
import type { PfAlias, PfRule } from "../pf/model.ts";
import { isLaneAlias, isLaneRule, isMarked, mark } from "../pf/names.ts";
import { type Core, coreAt } from "./api.ts";
import { ruleBody } from "./convert.ts";
import { opnSenseExecAt } from "./exec.ts";
import { contentOf } from "./filter.ts";
import { nameOf } from "./observe.ts";
import { entriesOf, interfaceOn, paths, type Reading, read } from "./reading.ts";

/** The lane of OPNsense: pfctl(8) over its root shell for entries, its API for a service that was not open before. */
export const opnsenseLane: LaneKind = opnsenseLaneWith();

export function opnsenseLaneWith(limits?: LaneLimits): LaneKind {
  return {
    open: (way: Way, desired: GatewayDesired, signal?: AbortSignal): Promise<MembersLane> =>
      openPfLane(
        way,
        desired,
        (shell) => ({ exec: opnSenseExecAt(shell), structure: structureBy(coreAt(apiOf(way).http)), limits }),
        signal,
      ),
  };
}

/** Aliases with their tables before any rule asks for them. */
function structureBy(core: Core): LaneStructure {
  return {
    async make(services, signal) {
      const reading = await read(core, () => Promise.resolve([]), signal);
      const sources = new Map(services.flatMap((each) => each.sources.map((alias) => [alias.name, alias] as const)));
      const aliases = [...sources.values(), ...services.map(({ alias }) => ({ ...alias, type: "external" as const }))];
      for (const alias of aliases) await addAlias(core, reading, alias, signal);
      // Also where all are there: what made them may have come no further.
      await core.apply(`${paths.aliases}/reconfigure`, signal);
      const known = new Set(reading.rules.filter((row) => isMarked(row.description ?? "")).map(nameOf));
      for (const rule of services.flatMap((each) => each.rules))
        if (!known.has(rule.name)) await addRule(core, reading, rule, signal);
      await core.apply(`${paths.rules}/apply`, signal);
    },
    async drop(tables, signal) {
      const reading = await read(core, () => Promise.resolve([]), signal);
      const foreign = JSON.stringify([
        reading.aliases.filter(({ name, description }) => !isLaneAlias(name) || !isMarked(description ?? "")),
        reading.rules.filter((row) => tableOf(row) === undefined),
        reading.snat,
      ]);
      const gone = new Set(tables.filter((table) => !names(foreign, table)));
      const rules = reading.rules.filter((row) => gone.has(tableOf(row) ?? ""));
      for (const { uuid } of rules) await core.remove(`${paths.rules}/delRule/${uuid}`, signal);
      // An alias that a loaded rule asks the device does not let go.
      await core.apply(`${paths.rules}/apply`, signal);
      const asked = foreign + JSON.stringify(reading.rules.filter((row) => !rules.includes(row)));
      for (const { uuid, name, description } of reading.aliases) {
        const isSource = /^sgs_[0-9a-f]{8}$/.test(name);
        if (!isMarked(description ?? "") || !(isSource ? !names(asked, name) : gone.has(name))) continue;
        await core.remove(`${paths.aliases}/delItem/${uuid}`, signal);
      }
      await core.apply(`${paths.aliases}/reconfigure`, signal);
    },
  };
}

/** Of a rule of the lane: the table that it lets in to. */
function tableOf(row: Reading["rules"][number]): string | undefined {
  if (!isMarked(row.description ?? "") || !isLaneRule(nameOf(row))) return undefined;
  return nameOf(row).split(" ")[2];
}

/** As a word of its own: `sgl_tcp_44` is not in `sgl_tcp_443`. */
function names(text: string, name: string): boolean {
  return new RegExp(`\\b${name}\\b`).test(text);
}

/** One of type external has its entries in pf alone: no configuration, no reload, nothing after a restart. */
type LaneAlias = Omit<PfAlias, "type"> & { readonly type: PfAlias["type"] | "external" };

async function addAlias(core: Core, reading: Reading, wanted: LaneAlias, signal?: AbortSignal): Promise<void> {
  const { name, type, entries, about } = wanted;
  const content = type === "external" ? "" : contentOf(type, entries);
  const there = reading.aliases.find((row) => row.name === name);
  if (there === undefined) {
    const alias = { enabled: "1", name, type, content, description: `${mark}${about}` };
    await core.add(`${paths.aliases}/addItem`, { alias }, signal);
    return;
  }
  const same = type === "external" || entriesOf(there).join(" ") === entriesOf({ content }).join(" ");
  if (isMarked(there.description ?? "") && there.type === type && same) return;
  throw new Failure(
    "E592",
    `${core.name} alias ${name}`,
    "It is there, and holds something else than an opening needs",
    "remove it; sixgate changes nothing that is not its own",
  );
}

async function addRule(core: Core, reading: Reading, { name, ...rest }: PfRule, signal?: AbortSignal): Promise<void> {
  const id = interfaceOn(reading, rest.on)?.identifier;
  const rule = id === undefined ? undefined : ruleBody(name, ruleItem({ name, ...rest }).value, id);
  if (rule === undefined)
    throw new Failure(
      "E558",
      core.name,
      `There is no interface ${rest.on} for rule "${name}"`,
      "assign it on the device",
    );
  await core.add(`${paths.rules}/addRule`, { rule }, signal);
}
