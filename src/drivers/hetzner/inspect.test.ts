import { expect } from "vitest";
import { robotState } from "../../../test/conformance/target-hetzner.ts";
import { test } from "../../../test/robot-test.ts";
import { mac } from "../../net/mac.ts";
import { inspectRobot } from "./inspect.ts";

const desired = robotState();

test("inspectRobot tells login, server, prefix and MAC, and what Robot does not tell", async ({ robot }) => {
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

test("inspectRobot names a lock, a failover prefix, and a MAC that is not registered", async ({ robot }) => {
  robot.subnet = { failover: true, locked: true };
  const found = await inspectRobot(robot.way().http, { ...desired, mac: mac("02:00:00:00:00:01") }, Date.now());
  expect(found.flatMap(({ code }) => code ?? [])).toEqual(["E615", "E586"]);
  expect(found.map(({ found: text }) => text).join()).toMatch(/failover prefix/);
});

test.for([
  ["rate-limit", "E587"],
  ["not-found", "E589"],
  ["html", "E517"],
] as const)("inspectRobot rejects at Robot's %s", async ([fault, code], { robot }) => {
  robot.fault = fault;
  await expect(inspectRobot(robot.way().http, desired, Date.now())).rejects.toThrow(code);
});
