import { test as plain, type TestAPI } from "vitest";
import { type FakeRobot, startRobot } from "./fakes/robot.ts";

/** `test` with a Robot of its own, ended after it. */
export const test: TestAPI<{ robot: FakeRobot }> = plain.extend<{ robot: FakeRobot }>({
  robot: async ({ onTestFinished }, use) => {
    const robot = await startRobot();
    onTestFinished(() => robot.stop());
    await use(robot);
  },
});
