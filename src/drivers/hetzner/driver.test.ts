import { expect } from "vitest";
import { robotState } from "../../../test/conformance/target-hetzner.ts";
import { test } from "../../../test/robot-test.ts";
import { seconds } from "../../base/time.ts";
import { mac } from "../../net/mac.ts";
import { prefix } from "../../net/prefix.ts";
import { applyDevice, planDevice } from "../plan-device.ts";
import { hetzner } from "./driver.ts";

const desired = robotState();
const before = "90:1b:0e:00:00:01";

test("hetzner moves the prefix to the gateway's MAC, and says what that means", async ({ robot }) => {
  const way = robot.way();
  const { set } = await planDevice(way, desired);
  expect(set.changes).toHaveLength(1);
  expect(hetzner.consequences?.(set)[0]).toMatch(/2001:db8:1234:321d::\/64 will go to one MAC/);
  await applyDevice(way, desired, set, seconds(60));
  expect([robot.mac, robot.moves]).toEqual([desired.mac, 1]);
});

test("hetzner moves it back when what comes after fails", async ({ robot }) => {
  const way = robot.way();
  const { set } = await planDevice(way, desired);
  await expect(
    applyDevice(way, desired, set, seconds(60), async () => Promise.reject(new Error("no way in"))),
  ).rejects.toThrow("no way in");
  expect(robot.mac).toBe(before);
});

test("hetzner does not say that the prefix goes back by itself where it could not be moved back", async ({ robot }) => {
  const way = robot.way();
  const { set } = await planDevice(way, desired);
  const cut = async (): Promise<void> => {
    robot.fault = "cut-off";
    throw new Error("no way in");
  };
  await expect(applyDevice(way, desired, set, seconds(60), cut)).rejects.toThrow(
    /E515 .*no way in; and then: .*\/64 was not moved back to 90:1b:0e:00:00:01: .*E503/,
  );
  expect(robot.mac).toBe(desired.mac);
});

test("hetzner ends the plan with E586 where the MAC on the uplink is not registered, and says which are", async ({
  robot,
}) => {
  const other = { ...desired, mac: mac("02:00:00:00:00:01") };
  await expect(planDevice(robot.way(), other)).rejects.toThrow(/E586.*00:50:56:00:ab:cd \(203\.0\.113\.136\)/);
});

test.for([
  ["rate-limit", /E587/],
  ["not-found", /E589/],
  ["html", /E517.*bad gateway/],
] as const)("hetzner says what Robot's %s is, reading and moving", async ([fault, text], { robot }) => {
  const way = robot.way();
  const { set } = await planDevice(way, desired);
  robot.fault = fault;
  await expect(hetzner.at(way, desired).observe()).rejects.toThrow(text);
  await expect(hetzner.at(way, desired).apply(set, seconds(60))).rejects.toThrow(text);
  expect(robot.mac).toBe(before);
});

test.for([
  ["moves-used-up", /E587/],
  ["locked", /E588.*SERVER_LOCKED/],
  ["mac-failed", /E588.*MAC_FAILED/],
  ["cut-at-move", /E503/],
] as const)("hetzner says what Robot's %s is at a move, and asks no second time", async ([fault, text], { robot }) => {
  const way = robot.way();
  const { set } = await planDevice(way, desired);
  robot.fault = fault;
  await expect(hetzner.at(way, desired).apply(set, seconds(60))).rejects.toThrow(text);
  expect([robot.mac, robot.moves]).toEqual([before, 0]);
});

test("hetzner finds out by itself whether a move whose answer was lost is done", async ({ robot }) => {
  const way = robot.way();
  const { set } = await planDevice(way, desired);
  robot.fault = "answer-lost";
  await applyDevice(way, desired, set, seconds(60));
  expect([robot.mac, robot.moves]).toEqual([desired.mac, 1]);
});

test("hetzner moves back what was moved while the caller gave up", async ({ robot }) => {
  const way = robot.way();
  const { set } = await planDevice(way, desired);
  const given = new AbortController();
  const { http } = way;
  const impatient = {
    ...way,
    http: {
      ...http,
      // The move is done when the caller gives up, and its answer is never seen.
      send: async (request: Parameters<typeof http.send>[0]) => {
        const answer = await http.send(request);
        if (request.method === "PUT" && robot.moves === 1) given.abort();
        request.signal?.throwIfAborted();
        return answer;
      },
    },
  };
  await expect(
    applyDevice(impatient, desired, set, seconds(60), () => Promise.resolve(), given.signal),
  ).rejects.toThrow(/abort/i);
  expect([robot.mac, robot.moves]).toEqual([before, 2]);
});

test("hetzner asks once with a wrong password: three times would close Robot for ten minutes", async ({ robot }) => {
  await expect(hetzner.at(robot.way("wrong"), desired).observe()).rejects.toThrow("E582");
  expect(robot.asked).toBe(1);
});

test("hetzner refuses a prefix of another length, and E462 one that is longer than what the provider routes", async ({
  robot,
}) => {
  robot.mask = "56";
  await expect(hetzner.at(robot.way(), desired).observe()).rejects.toThrow("E589");
  expect(hetzner.audit({ ...desired, prefix: prefix("2001:db8:1234:321d:20::/76") }).map(({ code }) => code)).toEqual([
    "E462",
  ]);
});

test("hetzner says how long to wait", async ({ robot }) => {
  robot.fault = "rate-limit";
  await expect(hetzner.at(robot.way(), desired).observe()).rejects.toMatchObject({
    diagnostic: { fix: expect.stringMatching(/^wait 60 minutes/) },
  });
});
