import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { GatewayDesired } from "../../src/desired/desired.ts";
import { nftables } from "../../src/drivers/nftables/driver.ts";
import { plannedRules } from "../../src/drivers/nftables/planned-rules.ts";
import { parseRules } from "../../src/drivers/nftables/rules.ts";
import type { FilterRules } from "../../src/proof/filter-rules.ts";
import { inHolder, must } from "../holder.ts";
import { missingFor } from "./needs.ts";
import { derived } from "./states.ts";
import { nftablesTarget } from "./target-nftables.ts";

const gatewayOf = (file: string): GatewayDesired => {
  const found = derived(readFileSync(file, "utf8")).find((each) => each.layer === "gateway");
  if (found === undefined) throw new RangeError(`No gateway in ${file}`);
  return found;
};
const states = [
  ...nftablesTarget.states,
  ...["lab", "site-48", "vps-on-link"].map((name) => gatewayOf(`examples/${name}.yaml`)),
];

const missing = await missingFor(["root", "nft"]);

/** What decides, without what only people read and without handles. */
function meaning({ hooks, chains, sets }: FilterRules): unknown {
  return {
    hooks: hooks.map((hook) => ({ ...hook, place: undefined })),
    chains: [...chains.values()].map(({ name, rules }) => [name, rules.map(({ steps }) => steps.map(withoutNames))]),
    sets: [...sets.values()].flatMap(({ name, columns, ...set }) =>
      / \d+ \d+$/.test(name) ? [] : [[name, rowsOf(columns), set.isLive, set.otherwise]],
    ),
  };
}

/** Sets that a rule holds itself are named by its handle. */
function withoutNames<T>(step: T): T {
  return JSON.parse(
    JSON.stringify(step, (key, value: unknown) =>
      key === "set" || key === "map"
        ? String(value).replace(/ \S+ \d+$/, "")
        : typeof value === "bigint"
          ? value.toString()
          : value,
    ),
  ) as T;
}

function rowsOf(columns: readonly (readonly unknown[])[]): readonly string[] {
  const rows = (columns[0] ?? []).map((_, row) => columns.map((column) => column[row]));
  return rows
    .map((row) => JSON.stringify(row, (_, value: unknown) => (typeof value === "bigint" ? value.toString() : value)))
    .sort();
}

test.skipIf(missing !== undefined).each(states.map((state, at): [number, GatewayDesired] => [at, state]))(
  "plannedRules of state %i are what nft lists once they are loaded",
  async (_, desired) => {
    await inHolder("planned-rules", async ({ shell, stop }) => {
      const boot = nftables.render(desired).find((file) => file.path.endsWith("boot.nft"));
      await must(shell, ["nft", "-f", "-"], boot?.text ?? "");
      const loaded = parseRules(await must(shell, ["nft", "--json", "--numeric", "list", "ruleset"]));
      expect(meaning(plannedRules(desired))).toEqual(meaning(loaded));
      await stop();
    });
  },
);
