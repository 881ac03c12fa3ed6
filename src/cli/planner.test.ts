import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Failure } from "../base/failure.ts";
import { plannerFor } from "./planner.ts";

const lab = readFileSync(join(import.meta.dirname, "../../examples/lab.yaml"), "utf8");

async function withPlanner(
  text: string,
  work: (planner: ReturnType<typeof plannerFor>) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "sixgate-planner-"));
  const file = join(folder, "fleet.yaml");
  writeFileSync(file, text);
  try {
    await work(
      plannerFor({
        source: { file },
        gateway: () => Promise.reject(new Failure("E503", "fw", "Not reached\u001b[2J", "look at it")),
        mayApply: false,
        applied: () => Promise.resolve(),
        now: () => 0,
      }),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test("plannerFor reviews the fleet file with its tests, without a device", async () => {
  await withPlanner(lab, async (planner) => {
    const { text, tests, findings, unasked } = await planner.review();
    expect(text).toBe(lab);
    expect(unasked).toBeUndefined();
    expect(findings.filter(({ severity }) => severity === "error")).toEqual([]);
    expect(tests.length).toBeGreaterThan(3);
    expect(tests.filter(({ passed }) => !passed)).toEqual([]);
    expect(tests[0]?.at).toMatch(/fleet\.yaml:\d+:\d+ /);
  });
});

test("plannerFor shows why a test fails: the packet, and what decided", async () => {
  const wrong = lab.replace(/^tests:\n/m, "tests:\n  - { from: internet, to: vm1/web, closed: [80] }\n");
  expect(wrong).not.toBe(lab);
  await withPlanner(wrong, async (planner) => {
    const [failed] = (await planner.review()).tests.filter(({ passed }) => !passed);
    expect(failed).toMatchObject({ name: "internet → vm1/web", what: "80/tcp", want: "closed" });
    expect(failed?.because.join("\n")).toMatch(/packet .*:80[\s\S]*accept/);
  });
});

test("plannerFor shows a file that is wrong with what is wrong in it", async () => {
  await withPlanner(`${lab}\nnonsense: true\n`, async (planner) => {
    const { text, findings, tests } = await planner.review();
    expect(text).toContain("nonsense");
    expect(findings.map(({ at }) => at).join()).toMatch(/:\d+:\d+/);
    expect(tests).toEqual([]);
  });
});

test("plannerFor proves the matrix from the fleet file when the gateway is not reached, and says so", async () => {
  await withPlanner(lab, async (planner) => {
    const { rules, why, sources, rows } = await planner.matrix();
    expect([rules, why]).toEqual(["planned", expect.stringContaining("Not reached\\x1b[2J")]);
    expect(sources.slice(0, 2)).toEqual(["internet", "office"]);
    expect(rows[0]?.cells[0]).toMatchObject({ state: "partly", flows: expect.arrayContaining(["tcp 80, 443"]) });
  });
});

test("plannerFor makes no plan, and so applies none, when no device can be reached", async () => {
  await withPlanner(lab, async (planner) => {
    await expect(planner.plan()).rejects.toThrow("Not reached");
  });
});
