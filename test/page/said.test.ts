import { describe, expect, test } from "vitest";
import { opening } from "../web/views.ts";
import { noBrowser } from "./browser.ts";
import { fill, hostile } from "./fleet.ts";
import { disturb, populate } from "./site.ts";
import { withPage } from "./stand.ts";

/** Controls that reorder, hide or end a line: anywhere in the page, in text and in attributes. */
const controls = `[...document.querySelectorAll("*")].flatMap((element) => [
  ...[...element.attributes].map(({ value }) => value),
  ...[...element.childNodes].filter(({ nodeType }) => nodeType === 3).map(({ data }) => data),
]).filter((text) => /[\\u061c\\u200b-\\u200f\\u202a-\\u202e\\u2066-\\u2069\\ufeff\\u0000-\\u0008\\u001b]/.test(text))`;

describe.skipIf(noBrowser !== undefined)("what hosts and containers say", () => {
  test("stays text in every list, in titles and in dialogs, with its controls shown as escapes", async () => {
    await withPage(fill, async ({ open }) => {
      const { page, wrong } = await open("#/openings");
      const alarms: string[] = [];
      page.on("dialog", (dialog) => {
        alarms.push(dialog.message());
        void dialog.dismiss();
      });
      const shown = "\\u{202e}txt.exe\\u{202c} \\u{200b}\\u{200f}web";
      for (const [tab, name] of [
        ["open", "Openings"],
        ["refused", "Refused"],
        ["suggested", "Not asked for"],
      ]) {
        await page.evaluate(`location.hash = "#/openings?tab=${tab}"`);
        const table = page.getByRole("table", { name: name ?? "" });
        await table.getByText(shown, { exact: true }).first().waitFor();
        await table
          .getByText(hostile[0] ?? "", { exact: true })
          .first()
          .waitFor();
        expect(await table.locator("img, script, iframe").count()).toBe(0);
        expect({ tab, controls: await page.evaluate(controls) }).toEqual({ tab, controls: [] });
        const isolated = await table
          .getByText(shown, { exact: true })
          .first()
          .evaluate((it) => it.ownerDocument.defaultView.getComputedStyle(it).unicodeBidi);
        expect(isolated).toBe("isolate");
      }
      await page.getByRole("button", { name: /^Open for some time: vm1.*txt\.exe/ }).click();
      // What is no name that Docker gives is not typed into anybody's shell: its address stands for it.
      expect(await page.getByLabel("Container or address").inputValue()).toBe("2001:db8:1234:321d:22::99");
      await page.keyboard.press("Escape");
      await page.getByRole("searchbox", { name: "Search" }).fill("\\u{202e}txt");
      await expect.poll(() => page.locator(".table .body .row").count()).toBe(1);
      expect([alarms, await page.title(), wrong]).toEqual([[], "Openings · sixgate", []]);
    });
  });

  test("is escaped on every other screen too, in the reasons and in the fleet file", async () => {
    const mark = "\\u{202e}";
    await withPage(
      (controller) => {
        fill(controller);
        populate(controller, hostile.length, hostile);
        disturb(controller);
        const opened = [...(controller.scene.openings.get("vm1") ?? [])];
        const container = { id: "9".repeat(64), name: hostile[3] ?? "" };
        const reason = `fine \u202e]egatnavda[ \u2066x`;
        controller.scene.openings.set(
          "vm1",
          opened.map((each) => ({ ...each, container, askedBy: { kind: "person", name: "ada", text: "" }, reason })),
        );
      },
      async (stand) => {
        stand.planner.review_ = { ...stand.planner.review_, text: "fleet: lab # \u202eyas ton seod ti tahw\r\n" };
        const { page, wrong } = await stand.open("#/map");
        const clean = async (what: string): Promise<void> =>
          expect({ what, controls: await page.evaluate(controls) }).toEqual({ what, controls: [] });
        await page.getByRole("button", { name: "List" }).click();
        await page.getByText(mark, { exact: false }).first().waitFor();
        await clean("map");
        await page.evaluate('location.hash = "#/addresses"');
        await page.getByRole("button", { name: /^vm1/ }).click();
        await page.locator(".addresses-screen").getByText(mark, { exact: false }).first().waitFor();
        await clean("addresses");
        await page.evaluate('location.hash = "#/plan"');
        await page.locator(".file").getByText(`# ${mark}yas ton seod ti tahw`, { exact: false }).first().waitFor();
        await clean("plan");
        for (const tab of ["journal", "denied", "agents"]) {
          await page.evaluate(`location.hash = "#/activity?tab=${tab}"`);
          await page.locator(".table .body .row").first().waitFor();
          await clean(tab);
        }
        await page.evaluate('location.hash = "#/openings"');
        await page
          .getByRole("button", { name: /^vm1.*txt\.exe/ })
          .first()
          .click();
        const why = page.getByRole("complementary", { name: "Why" });
        await why.getByText(`ada asked for it: fine ${mark}]egatnavda[`, { exact: false }).waitFor();
        await clean("why");
        await page
          .getByRole("button", { name: /^Close vm1.*txt\.exe/ })
          .first()
          .click();
        await page.getByRole("dialog").getByText(mark, { exact: false }).first().waitFor();
        await clean("close");
        expect(wrong).toEqual([]);
      },
    );
  });

  test("stays in its place when it runs from right to left", async () => {
    const hebrew = "\u05d0\u05d1\u05d2-1";
    await withPage(
      (controller) => {
        controller.scene.openings.set("vm1", [opening("r", { container: { id: "9".repeat(64), name: hebrew } })]);
      },
      async ({ open }) => {
        const { page } = await open("#/openings");
        const name = page.getByRole("table", { name: "Openings" }).getByText(hebrew, { exact: true });
        await name.waitFor();
        const ends = await name.evaluate((it) => {
          const before = it.previousElementSibling.getBoundingClientRect();
          return [before.right, it.getBoundingClientRect().left];
        });
        // The host's name and its stroke stand before it, wherever its own first letter is.
        expect(Number(ends[0])).toBeLessThanOrEqual(Number(ends[1]) + 0.5);
        expect(await name.evaluate((it) => it.localName)).toBe("bdi");
      },
    );
  });

  test("breaks no policy of the page, whose breach would be heard", async () => {
    await withPage(fill, async ({ open }) => {
      const { page, wrong } = await open("#/openings");
      await page.getByRole("table", { name: "Openings" }).waitFor();
      expect(wrong).toEqual([]);
      await page.evaluate(`document.body.setAttribute("style", "color: red")`);
      await expect.poll(() => wrong.some((each) => each.includes("policy style-src-attr"))).toBe(true);
    });
  });
});
