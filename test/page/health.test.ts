import { describe, expect, test } from "vitest";
import { instant } from "../../src/base/time.ts";
import type { MemoryController } from "../web/memory-controller.ts";
import { vm1 } from "../web/views.ts";
import { noBrowser, type Sight } from "./browser.ts";
import { five } from "./fleet.ts";
import { expectWellMade } from "./maps.ts";
import { type PageStand, withPage } from "./stand.ts";

const screens = ["openings", "map", "addresses", "plan", "activity"] as const;

/** Every agent is there, and nothing is wrong. */
function fine(controller: MemoryController): void {
  five(controller);
  const now = instant(Date.now());
  controller.scene.agents.push(
    { host: vm1, state: "connected", seen: now, containers: 5 },
    { host: "vm2" as typeof vm1, state: "connected", seen: now, containers: 0 },
  );
}

const passes = { at: "fleet.yaml:4:5 tests[0]", name: "internet → vm1/web", want: "open", because: [] } as const;

function reviewed({ planner }: PageStand, failing: number, warnings: number): void {
  planner.review_ = {
    file: "fleet.yaml",
    text: "fleet: lab\n",
    findings: Array.from({ length: warnings }, (_, n) => ({
      code: "W208",
      severity: "warning" as const,
      at: `fleet.yaml:1:${n + 1} fleet`,
      text: "Nobody may log in",
      fix: "name some",
    })),
    tests: Array.from({ length: 12 }, (_, n) => ({ ...passes, what: `${n}/tcp`, passed: n >= failing })),
  };
}

/** What the strip says, cell by cell, with how it looks. */
async function cells({ page }: Sight): Promise<Readonly<Record<string, string>>> {
  const all = await page.locator(".health .cell").evaluateAll((found) =>
    found.map((cell) => {
      const look = ["good", "warn", "bad"].find((tone) => cell.classList.contains(tone)) ?? "plain";
      return [cell.querySelector(".name").textContent, `${cell.querySelector(".value").textContent}, ${look}`];
    }),
  );
  return Object.fromEntries(all) as Readonly<Record<string, string>>;
}

describe.skipIf(noBrowser !== undefined)("the strip above every screen", () => {
  test("says that all is well, on each screen", async () => {
    await withPage(fine, async (stand) => {
      reviewed(stand, 0, 0);
      const sight = await stand.open("#/openings");
      for (const screen of screens) {
        await sight.page.evaluate(`location.hash = "#/${screen}"`);
        await sight.page.locator(`nav.screens a[aria-current][href="#/${screen}"]`).waitFor();
        await expect
          .poll(() => cells(sight))
          .toMatchObject({
            Page: "live, good",
            Gateway: "reached, good",
            Drift: "none, plain",
            Agents: "2/2, plain",
            "Oldest report": expect.stringMatching(/^\d+ s, plain$/),
            Tests: "12/12, plain",
            Warnings: "0, plain",
            Open: "5, plain",
          });
      }
      expect(sight.wrong).toEqual([]);
    });
  });

  test("says which agent's report is old, and leads to the agents", async () => {
    await withPage(
      (controller) => {
        fine(controller);
        const [, second] = controller.scene.agents;
        if (second === undefined) throw new Error("No second agent");
        controller.scene.agents.splice(1, 1, { ...second, state: "silent", seen: instant(Date.now() - 200_000) });
      },
      async ({ open }) => {
        const sight = await open("#/plan");
        await expect
          .poll(() => cells(sight))
          .toMatchObject({ Agents: "1/2, warn", "Oldest report": expect.stringMatching(/^3 min, warn$/) });
        await sight.page.getByRole("link", { name: "Agents 1/2" }).click();
        await sight.page.getByRole("row", { name: /vm2 silent/ }).waitFor();
      },
    );
  });

  test("says drift, failing tests, warnings, refusals and a gateway that is not reached", async () => {
    await withPage(fine, async (stand) => {
      reviewed(stand, 3, 2);
      stand.controller.scene.gateway = { reached: false, error: "fw: \u202erefused", drift: 4 };
      const sight = await stand.open("#/map");
      await expect
        .poll(() => cells(sight))
        .toMatchObject({
          Gateway: "not reached: fw: \\u{202e}refused, bad",
          Drift: "4 put right, warn",
          Tests: "9/12, bad",
          Warnings: "2, warn",
        });
      await sight.page.getByRole("link", { name: "Tests 9/12" }).click();
      await sight.page.getByText("9 of 12 pass").waitFor();
      // It is reached again: the event tells, nobody waits for the next look.
      stand.controller.scene.gateway = { reached: true, drift: 0 };
      stand.controller.emit({ kind: "gateway", at: instant(Date.now()), reached: true, text: "reached" });
      await expect.poll(() => cells(sight)).toMatchObject({ Gateway: "reached, good", Drift: "none, plain" });
    });
  });

  test("says that tests were not asked when the fleet file is wrong", async () => {
    await withPage(fine, async (stand) => {
      const finding = { code: "E201", severity: "error", at: "fleet.yaml:1:1", text: "Not a map", fix: "…" } as const;
      stand.planner.review_ = { file: "fleet.yaml", text: "-", findings: [finding], tests: [], unasked: "It is wrong" };
      const sight = await stand.open("#/openings");
      await expect.poll(() => cells(sight)).toMatchObject({ Tests: "not asked, bad", Errors: "1, bad" });
    });
  });

  test("says that the controller is gone", async () => {
    await withPage(fine, async (stand) => {
      const sight = await stand.open("#/openings");
      await expect.poll(() => cells(sight)).toMatchObject({ Page: "live, good" });
      await stand.served.close();
      await expect
        .poll(() => cells(sight), { timeout: 30_000 })
        .toEqual({ Page: "not live: what it shows may be old, bad", Controller: "not read, bad" });
    });
  });

  test("is well made in trouble too, at both widths, light and dark", async () => {
    await withPage(fine, async (stand) => {
      reviewed(stand, 3, 2);
      stand.controller.scene.gateway = { reached: false, error: "fw: connection refused", drift: 4 };
      await expectWellMade(stand, "#/openings", ({ page }) => page.getByText("9/12").waitFor());
    });
  });
});
