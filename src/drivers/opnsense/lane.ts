import { Failure } from "../../base/failure.ts";
import type { GatewayDesired } from "../../desired/desired.ts";
import { apiOf, type Way } from "../../runtime/way.ts";
import type { LaneKind, MembersLane } from "../members-lane.ts";
import { ruleItem } from "../pf/items.ts";
import { openPfLane } from "../pf/lane/kind.ts";
import type { LaneStructure } from "../pf/lane/lane.ts";
import type { PfAlias, PfRule } from "../pf/model.ts";
import { isMarked, mark } from "../pf/names.ts";
import { type Core, coreAt } from "./api.ts";
import { ruleBody } from "./convert.ts";
import { opnSenseExecAt } from "./exec.ts";
import { contentOf } from "./filter.ts";
import { nameOf } from "./observe.ts";
import { entriesOf, interfaceOn, paths, type Reading, read } from "./reading.ts";

/** The lane of OPNsense: pfctl(8) over its root shell for entries, its API for a service that was not open before. */
export const opnsenseLane: LaneKind = {
  open: (way: Way, desired: GatewayDesired, signal?: AbortSignal): Promise<MembersLane> =>
    openPfLane(
      way,
      desired,
      (shell) => ({ exec: opnSenseExecAt(shell), structure: structureBy(coreAt(apiOf(way).http)) }),
      signal,
    ),
};

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
  };
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
