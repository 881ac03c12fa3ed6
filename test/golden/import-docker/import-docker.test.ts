import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { importDocker } from "../../../src/drivers/docker/import.ts";
import { parseFleet } from "../../../src/fleet/parse-fleet.ts";

// A case is a folder: what `docker` printed, answers one behind the other (`docker.json`), and the fleet file made of it.

const cases = readdirSync(import.meta.dirname, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

test.each(cases)("importDocker makes of %s a fleet file that is valid and opens nothing", async (name) => {
  const folder = join(import.meta.dirname, name);
  const { text, guesses } = importDocker(readFileSync(join(folder, "docker.json"), "utf8"), { host: "vm1" });
  await expect(text).toMatchFileSnapshot(join(folder, "fleet.yaml"));
  expect(text.split("# guess:")).toHaveLength(guesses + 1);
  expect(text).not.toContain("never-shown");
  const parsed = parseFleet(text, "fleet.yaml");
  expect(parsed.ok ? [] : parsed.errors).toEqual([]);
  expect(parsed.ok ? parsed.value.openings : undefined).toEqual([]);
  expect(parsed.ok ? [...parsed.value.hosts.keys()] : []).toEqual(["vm1"]);
});

test.each([
  ["nothing", "", /no JSON/],
  ["text", "Cannot connect to the Docker daemon", /not whole|not JSON/],
  ["half an answer", '[{"Name": "web", "Driver": "bridge"', /not whole/],
  ["another answer", '{"Containers": 3}', /no answer of docker/],
] as const)("importDocker throws at %s: what is not understood is not nothing", (_, text, error) => {
  expect(() => importDocker(text)).toThrow(error);
});
