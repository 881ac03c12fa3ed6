import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { stringify } from "yaml";
import {
  eventAnswer,
  imageAnswer,
  listAnswer,
  networkAnswer,
  versionAnswer,
} from "../../../src/agent/engine-answers.ts";
import { reportOf } from "../../../src/agent/report.ts";
import { WatchState } from "../../../src/agent/watch-state.ts";

// A case is a folder: an engine's answers, and what leaves the host of them.

const cases = readdirSync(import.meta.dirname, { withFileTypes: true }).filter((entry) => entry.isDirectory());

test.each(cases.map(({ name }) => name))("an agent reads engine %s", async (name) => {
  const folder = join(import.meta.dirname, name);
  const read = (file: string): unknown => JSON.parse(readFileSync(join(folder, file), "utf8"));
  const image = imageAnswer.parse(read("image.json"));
  const sights = listAnswer.parse(read("list.json"));
  const network = networkAnswer.parse(read("network-web.json"));
  const events = readFileSync(join(folder, "events.ndjson"), "utf8").trim().split("\n");
  const state = new WatchState();
  const asked = { began: 1, quiet: 1 };
  state.looked(
    sights.map(({ id }) => id),
    sights,
    asked,
  );
  const views = sights.map(({ id }) => state.view(id)).filter((view) => view !== undefined);
  const shown = {
    version: versionAnswer.parse(read("version.json")),
    reports: views.map((view) => reportOf(view, image, (nameOrId) => state.idOf(nameOrId))),
    network: { ...network, members: Object.fromEntries(network.members) },
    events: events.map((line) => {
      const event = eventAnswer.parse(JSON.parse(line));
      return event === undefined ? "of no interest" : `${event.action} ${event.container.slice(0, 12)}`;
    }),
  };
  await expect(stringify(shown, { lineWidth: 0 })).toMatchFileSnapshot(join(folder, "expected.yaml"));
});
