import { afterEach, beforeEach, expect, test } from "vitest";
import { type FakeRobot, startRobot } from "../../../test/fakes/robot.ts";
import type { DeviceName } from "../../base/name.ts";
import type { ProviderDesired } from "../../desired/desired.ts";
import { mac } from "../../net/mac.ts";
import { prefix } from "../../net/prefix.ts";
import { inspectRobot } from "./inspect.ts";

const desired: ProviderDesired = {
  layer: "provider",
  device: "hetzner" as DeviceName,
  driver: "hetzner",
  prefix: prefix("2001:db8:1234:321d::/64"),
  mac: mac("00:50:56:00:ab:cd"),
};
let robot: FakeRobot;
beforeEach(async () => {
  robot = await startRobot();
});
afterEach(() => robot.stop());

test("inspectRobot tells login, server, prefix and MAC, and what Robot does not tell", async () => {
  const found = await inspectRobot(robot.way().http, desired, Date.now());
  expect(found.map(({ what, found: text, fix }) => [what, text, fix]).slice(0, 5)).toEqual([
    ["login", "known", undefined],
    ["requests", expect.stringMatching(/does not tell/), undefined],
    ["server", "number 321, 203.0.113.162", undefined],
    ["prefix", "2001:db8:1234:321d::/64 belongs to that server", undefined],
    ["gateway's MAC", "00:50:56:00:ab:cd, registered; now 90:1b:0e:00:00:01", undefined],
  ]);
  expect(robot.moves).toBe(0);
});

test("inspectRobot names a lock, a failover prefix, and a MAC that is not registered", async () => {
  robot.subnet = { failover: true, locked: true };
  const found = await inspectRobot(robot.way().http, { ...desired, mac: mac("02:00:00:00:00:01") }, Date.now());
  expect(found.flatMap(({ code }) => code ?? [])).toEqual(["E615", "E586"]);
  expect(found.map(({ found: text }) => text).join()).toMatch(/failover prefix/);
});

test.each([
  ["rate limit", "E587"],
  ["not found", "E589"],
  ["html", "E517"],
] as const)("inspectRobot rejects at Robot's %s", async (fault, code) => {
  robot.fault = fault;
  await expect(inspectRobot(robot.way().http, desired, Date.now())).rejects.toThrow(code);
});
