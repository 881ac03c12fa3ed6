import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { instant } from "../../src/base/time.ts";
import type { MemoryController } from "../web/memory-controller.ts";
import { noBrowser, type Sight } from "./browser.ts";
import { fill } from "./fleet.ts";
import { expectWellMade } from "./maps.ts";
import { withPage } from "./stand.ts";

const numbers = ({ page }: Sight): Promise<readonly string[]> =>
  page.locator(".table.journal .body .sequence").allInnerTexts();

describe.skipIf(noBrowser !== undefined)("the journal", () => {
  test("has the newest first, is found by what it is about, by who did it and by words", async () => {
    await withPage(fill, async ({ open }) => {
      const sight = await open("#/activity");
      const { page, wrong } = sight;
      await expect.poll(() => numbers(sight)).toEqual(["6", "5", "4", "3", "2", "1"]);
      const chips = (name: string): ReturnType<typeof page.getByRole> => page.getByRole("group", { name });
      await chips("Who").getByRole("button", { name: "agent" }).click();
      await expect.poll(() => numbers(sight)).toEqual(["5", "1"]);
      await chips("Who").getByRole("button", { name: "agent" }).click();
      await chips("About").getByRole("button", { name: "openings" }).click();
      await expect.poll(() => numbers(sight)).toEqual(["5", "4", "2"]);
      await chips("About").getByRole("button", { name: "alarms" }).click();
      await expect.poll(() => numbers(sight)).toEqual(["4", "2"]);
      await page.getByRole("searchbox", { name: "Search" }).fill("DRIFT");
      await expect.poll(() => numbers(sight)).toEqual(["4"]);
      await page.getByRole("searchbox", { name: "Search" }).fill("nothing like it");
      await page.getByText("No entry matches").waitFor();
      expect(wrong).toEqual([]);
    });
  });

  test("shows drift alone from the strip, and everything again", async () => {
    await withPage(
      (controller) => {
        fill(controller);
        controller.scene.gateway = { reached: true, drift: 2 };
      },
      async ({ open }) => {
        const sight = await open("#/openings");
        await sight.page.getByRole("link", { name: "Drift 2 put right" }).click();
        await expect.poll(() => numbers(sight)).toEqual(["4"]);
        await sight.page.getByRole("link", { name: /^Journal/ }).click();
        await expect.poll(async () => (await numbers(sight)).length).toBe(6);
      },
    );
  });

  test("has each entry whole, with the hash that chains it, and goes back to its row", async () => {
    await withPage(fill, async ({ open, controller }) => {
      const { page } = await open("#/activity");
      const row = page.getByRole("row", { name: /allow\[0\]/ });
      await row.getByRole("button").click();
      const dialog = page.getByRole("dialog", { name: "Entry 3" });
      const texts = await dialog.locator("dd").allInnerTexts();
      expect(texts).toContain("a".repeat(64));
      expect(texts).toContain("\\u{202e}txt.exe\\u{202c} \\u{200b}\\u{200f}web");
      expect(texts.at(-1)).toBe(controller.journalEntries[2]?.hash);
      await page.keyboard.press("Escape");
      await dialog.waitFor({ state: "detached" });
      expect(await page.evaluate("document.activeElement?.textContent")).toBe("opened");
      await page.keyboard.press("ArrowDown");
      expect(await page.evaluate("document.activeElement?.textContent")).toBe("agent-connected");
    });
  });

  test("goes on by itself, after orders that no event tells of too", async () => {
    await withPage(fill, async ({ open, controller }) => {
      const sight = await open("#/activity");
      await expect.poll(async () => (await numbers(sight)).length).toBe(6);
      await controller.note({ name: "ada", role: "admin" }, "invited", { host: "vm2" });
      await expect.poll(async () => (await numbers(sight))[0], { timeout: 20_000 }).toBe("7");
      await sight.page.getByRole("row", { name: /ada invited/ }).waitFor();
    });
  });

  test("is exported whole: a line of JSON for each entry, as the controller has it", async () => {
    await withPage(many, async ({ open, controller }) => {
      const { page, wrong } = await open("#/activity");
      await page.getByText("The last 1,000 of 2,506; Export has all of them.").waitFor();
      const coming = page.waitForEvent("download");
      await page.getByRole("link", { name: "Export" }).click();
      const download = await coming;
      expect(download.suggestedFilename()).toBe("journal.ndjson");
      const text = readFileSync(await download.path(), "utf8");
      expect(text.endsWith("\n")).toBe(true);
      const lines = text.trimEnd().split("\n");
      expect(lines.map((line): unknown => JSON.parse(line))).toEqual(controller.journalEntries);
      expect(wrong).toEqual([]);
    });
  });

  test("catches up with more than one answer holds, and has bounded rows", async () => {
    await withPage(fill, async ({ open, controller }) => {
      const sight = await open("#/activity");
      await expect.poll(async () => (await numbers(sight)).length).toBe(6);
      many(controller);
      controller.emit({ kind: "gateway", at: instant(Date.now()), reached: true, text: "reached" });
      await expect.poll(async () => (await numbers(sight))[0], { timeout: 20_000 }).toBe("2512");
      await sight.page.getByRole("link", { name: "Journal 2,512" }).waitFor();
      expect(await sight.page.locator(".table.journal .body .row").count()).toBeLessThan(80);
      // All of it is there, not only the last answer.
      await sight.page.getByRole("searchbox", { name: "Search" }).fill("n7of ADA made");
      await expect.poll(() => numbers(sight)).toEqual(["20"]);
    });
  });
});

/** More than one answer has. */
function many(controller: MemoryController): void {
  fill(controller);
  for (let n = 0; n < 2500; n += 1)
    void controller.note({ name: "ada", role: "admin" }, "token made", { name: `n${n}of 2500` });
}

describe.skipIf(noBrowser !== undefined)("the agents", () => {
  test("have their state and last report, are ordered and filtered by it, and change as they are told", async () => {
    await withPage(fill, async ({ open, controller }) => {
      const { page } = await open("#/activity?tab=agents");
      const table = page.getByRole("table", { name: "Agents" });
      const hosts = (): Promise<readonly string[]> => page.locator(".table.agents .body .host").allInnerTexts();
      await expect.poll(hosts).toEqual(["vm1", "vm2", "vm3"]);
      const silent = table.getByRole("row", { name: /vm2/ });
      expect(await silent.getByRole("cell").allInnerTexts()).toEqual([
        "vm2",
        "silent",
        expect.stringMatching(/^\d+ (s|min) ago$/),
        "3",
        "28.5.2",
        "0.1.0",
      ]);
      await table.getByRole("button", { name: "Containers" }).click();
      await expect.poll(hosts).toEqual(["vm3", "vm2", "vm1"]);
      await page.getByRole("group", { name: "State" }).getByRole("button", { name: "never" }).click();
      await expect.poll(hosts).toEqual(["vm2", "vm1"]);
      const [, second] = controller.scene.agents;
      if (second === undefined) throw new Error("No second agent");
      const back = { ...second, state: "connected", seen: instant(Date.now()) } as const;
      controller.scene.agents.splice(1, 1, back);
      controller.emit({ kind: "agent", at: instant(Date.now()), agent: back });
      await silent.getByText("connected").waitFor();
    });
  });
});

test.skipIf(noBrowser !== undefined)(
  "journal, entry and agents are well made at both widths, light and dark",
  async () => {
    await withPage(fill, async (stand) => {
      await expectWellMade(stand, "#/activity", ({ page }) => page.getByRole("table", { name: "Journal" }).waitFor());
      await expectWellMade(stand, "#/activity", async ({ page }) => {
        await page
          .getByRole("row", { name: /allow\[0\]/ })
          .getByRole("button")
          .click();
        await page.getByRole("dialog", { name: "Entry 3" }).waitFor();
      });
      await expectWellMade(stand, "#/activity?tab=agents", ({ page }) =>
        page.getByRole("table", { name: "Agents" }).waitFor(),
      );
      await expectWellMade(stand, "#/activity?only=drift", ({ page }) => page.getByText("Somebody else").waitFor());
    });
  },
);
