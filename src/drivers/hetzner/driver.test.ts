import { afterEach, beforeEach, expect, test } from "vitest";
import { type FakeRobot, startRobot } from "../../../test/fakes/robot.ts";
import type { DeviceName } from "../../base/name.ts";
import { seconds } from "../../base/time.ts";
import { diff } from "../../change/diff.ts";
import type { ProviderDesired } from "../../desired/desired.ts";
import { mac } from "../../net/mac.ts";
import { prefix } from "../../net/prefix.ts";
import { applyDevice, planDevice } from "../plan-device.ts";
import { hetzner } from "./driver.ts";

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

test("hetzner moves the prefix to the gateway's MAC, and the second plan is empty", async () => {
  const way = robot.way();
  const { set } = await planDevice(way, desired);
  expect(set.changes).toHaveLength(1);
  expect(hetzner.consequences?.(set)[0]).toMatch(/2001:db8:1234:321d::\/64 will go to one MAC/);
  await applyDevice(way, desired, set, seconds(60));
  expect(robot.mac).toBe(desired.mac);
  expect((await planDevice(way, desired)).set.changes).toEqual([]);
});

test("hetzner moves it back when what comes after fails", async () => {
  const way = robot.way();
  const { set } = await planDevice(way, desired);
  await expect(
    applyDevice(way, desired, set, seconds(60), async () => Promise.reject(new Error("no way in"))),
  ).rejects.toThrow("no way in");
  expect(robot.mac).toBe("90:1b:0e:00:00:01");
});

test("hetzner ends the plan with E586 where the MAC on the uplink is not registered, and says which are", async () => {
  const other = { ...desired, mac: mac("02:00:00:00:00:01") };
  await expect(planDevice(robot.way(), other)).rejects.toThrow(/E586.*00:50:56:00:ab:cd \(203\.0\.113\.136\)/);
});

test("hetzner refuses with E510 a plan that was made before the prefix was moved", async () => {
  const way = robot.way();
  const { set } = await planDevice(way, desired);
  robot.mac = "00:50:56:00:ab:cd";
  await expect(hetzner.at(way, desired).apply(set, seconds(60))).rejects.toThrow("E510");
});

test.each([
  ["rate limit", /E587/],
  ["locked", /E588.*SERVER_LOCKED/],
  ["not found", /E589/],
  ["mac failed", /E588/],
  ["html", /E517.*bad gateway/],
] as const)("hetzner says what Robot's %s is", async (fault, text) => {
  const way = robot.way();
  const { set } = await planDevice(way, desired);
  robot.fault = fault;
  await expect(hetzner.at(way, desired).observe()).rejects.toThrow(text);
  await expect(hetzner.at(way, desired).apply(set, seconds(60))).rejects.toThrow(text);
  expect(robot.mac).toBe("90:1b:0e:00:00:01");
});

test("hetzner asks once with a wrong password: three times would close Robot for ten minutes", async () => {
  await expect(hetzner.at(robot.way("wrong"), desired).observe()).rejects.toThrow("E582");
});

test("hetzner refuses a prefix of another length, and E462 one that is shorter than what the provider routes", async () => {
  robot.mask = "56";
  await expect(hetzner.at(robot.way(), desired).observe()).rejects.toThrow("E589");
  expect(hetzner.audit({ ...desired, prefix: prefix("2001:db8:1234:321d:20::/76") }).map(({ code }) => code)).toEqual([
    "E462",
  ]);
  expect(diff(hetzner.normalize(desired), hetzner.normalize(desired))).toEqual([]);
});

test("hetzner says how long to wait", async () => {
  robot.fault = "rate limit";
  await expect(hetzner.at(robot.way(), desired).observe()).rejects.toMatchObject({
    diagnostic: { fix: expect.stringMatching(/^wait 60 minutes/) },
  });
});
