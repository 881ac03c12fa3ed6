import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { DeviceName } from "../../../src/base/name.ts";
import type { ChangeSet } from "../../../src/change/change-set.ts";
import { diff } from "../../../src/change/diff.ts";
import { explain } from "../../../src/change/explain.ts";
import type { Item } from "../../../src/change/item.ts";
import type { Layer } from "../../../src/desired/desired.ts";

// A case is a folder: what a device holds and what it should hold, and what a person is shown, short and verbose.

type Case = {
  readonly device: DeviceName;
  readonly layer: Layer;
  readonly driver: string;
  readonly before: readonly Item[];
  readonly after: readonly Item[];
};

const cases = readdirSync(import.meta.dirname, { withFileTypes: true }).filter((entry) => entry.isDirectory());

test.each(cases.map(({ name }) => name))("explain shows %s", async (name) => {
  const folder = join(import.meta.dirname, name);
  const states = JSON.parse(readFileSync(join(folder, "states.json"), "utf8")) as readonly Case[];
  const sets = states.map(
    ({ before, after, ...of }): ChangeSet => ({ ...of, base: "1", changes: diff(before, after) }),
  );
  await expect(`${explain(sets).join("\n")}\n`).toMatchFileSnapshot(join(folder, "short.txt"));
  await expect(`${explain(sets, { verbose: true }).join("\n")}\n`).toMatchFileSnapshot(join(folder, "verbose.txt"));
});
