import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type FakeRobot, startRobot } from "../fakes/robot.ts";
import { fine } from "./pf-faults.ts";
import { robotFaults } from "./robot-faults.ts";
import { article, type Said, sixgate } from "./run.ts";

const before = "90:1b:0e:00:00:01";
const after = "00:50:56:00:ab:cd";
const apply = ["apply", "--yes", "--accept-lockout-risk"];

let robot: FakeRobot;
let folder: string;

/** The article's network with Robot asked, and nobody else reached. */
beforeAll(async () => {
  robot = await startRobot();
  folder = mkdtempSync(join(tmpdir(), "sixgate-cli-"));
  const { url, certified } = robot;
  const api = `{ url: "${url}", key: "env:ROBOT_USER", secret: "env:ROBOT_PASSWORD", tls: { fingerprint: ${certified.sha256} } }`;
  writeFileSync(
    join(folder, "fleet.yaml"),
    article().replace("next-hop: fe80::1 }", `next-hop: fe80::1, api: ${api} }`),
  );
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await robot.stop();
});

async function call(words: readonly string[], password = robot.password): Promise<Said> {
  const env = { ROBOT_USER: robot.user, ROBOT_PASSWORD: password };
  const said = await sixgate([...words, "--only", "hetzner"], { cwd: folder, env });
  expect(said.out + said.err).not.toContain(password);
  return said;
}

async function errorsOf(words: readonly string[], password?: string): Promise<readonly unknown[]> {
  const said = await call(["--json", ...words], password);
  const { errors } = JSON.parse(said.out) as { errors: readonly { code: string }[] };
  return [said.code, ...errors.map(({ code }) => code)];
}

test.each(robotFaults)(
  "hetzner fault $fault: apply $ends",
  async ({ fault, ends }) => {
    robot.mac = before;
    robot.moves = 0;
    if (fault !== "wrong-password") robot.fault = fault;
    const password = fault === "wrong-password" ? "nobody-knows-this" : undefined;
    if (ends === fine) {
      const said = await call(apply, password);
      robot.fault = undefined;
      expect([said.code, robot.mac, robot.moves]).toEqual([0, after, 1]);
      expect((await call(["plan", "--detailed-exitcode"])).code).toBe(0);
    } else {
      expect([fault, ...(await errorsOf(apply, password))]).toEqual([fault, 1, ends]);
      robot.fault = undefined;
      expect([robot.mac, robot.moves]).toEqual([before, 0]);
    }
    expect(robot.theirs).toBe(before);
  },
  120_000,
);

test("hetzner: after all faults apply goes through, and not without --accept-lockout-risk", async () => {
  robot.mac = before;
  expect(await errorsOf(["apply", "--yes"])).toEqual([4, "E605"]);
  expect([robot.mac, robot.moves]).toEqual([before, 0]);
  expect((await call(apply)).code).toBe(0);
  expect([robot.mac, robot.theirs]).toEqual([after, before]);
  expect((await call(["plan", "--detailed-exitcode"])).code).toBe(0);
}, 120_000);
