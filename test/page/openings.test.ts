import { describe, expect, test } from "vitest";
import { instant } from "../../src/base/time.ts";
import type { MemoryController } from "../web/memory-controller.ts";
import { refusal, suggestion } from "../web/views.ts";
import { noBrowser } from "./browser.ts";
import { fill, five, rowsOf } from "./fleet.ts";
import { expectWellMade } from "./maps.ts";
import { withPage } from "./stand.ts";

describe.skipIf(noBrowser !== undefined)("the openings", () => {
  test("say who asked, who granted, from where, and for how long", async () => {
    await withPage(five, async ({ open }) => {
      const { page, wrong } = await open("#/openings");
      const row = page.getByRole("row", { name: /vm1\/ssh/ });
      await row.waitFor();
      expect(await row.getByRole("cell").allInnerTexts()).toEqual([
        "open",
        "vm1/ssh",
        "2001:db8:1234:321d:22::100 22/tcp",
        "2001:db8:aaaa::/48",
        "person ada: release test",
        "people",
        // Checks, and packets as a gateway counts them, which this stand has not.
        expect.stringMatching(/^(?:…|none)$/),
        expect.stringMatching(/^(?:…|unknown)$/),
        expect.stringMatching(/^(119 min|2 h)$/),
        "Close…",
      ]);
      const held = page.getByRole("row", { name: /vm1\/dns/ });
      expect(await held.getByRole("cell").allInnerTexts()).toEqual([
        "held",
        "vm1/dns",
        "2001:db8:1234:321d:22::7 ping",
        "anywhere",
        "label 443",
        "allow[0]",
        expect.stringMatching(/^(?:…|none)$/),
        expect.stringMatching(/^(?:…|unknown)$/),
        "until it stops",
        "",
      ]);
      expect(wrong).toEqual([]);
    });
  });

  test("are ordered by each column, up, down and back", async () => {
    await withPage(five, async ({ open }) => {
      const sight = await open("#/openings");
      const { page } = sight;
      await page.getByRole("row", { name: /vm1\/ssh/ }).waitFor();
      const asTold = ["vm1/db", "vm1/dns", "vm1/ssh", "vm1/web9", "vm1/web10"];
      expect(await rowsOf(sight)).toEqual(asTold);
      const press = (title: string): Promise<void> => page.getByRole("button", { name: title, exact: true }).click();
      const sort = (): Promise<string | null> =>
        page.getByRole("columnheader", { name: "Address and port" }).getAttribute("aria-sort");
      await press("Address and port");
      await expect.poll(() => rowsOf(sight)).toEqual(["vm1/dns", "vm1/db", "vm1/web10", "vm1/web9", "vm1/ssh"]);
      expect(await sort()).toBe("ascending");
      await press("Address and port");
      await expect.poll(() => rowsOf(sight)).toEqual(["vm1/ssh", "vm1/web9", "vm1/web10", "vm1/db", "vm1/dns"]);
      expect(await sort()).toBe("descending");
      await press("Address and port");
      await expect.poll(() => rowsOf(sight)).toEqual(asTold);
      await press("Time left");
      await expect.poll(async () => (await rowsOf(sight)).slice(0, 2)).toEqual(["vm1/db", "vm1/ssh"]);
      await press("Granted by");
      await expect.poll(async () => (await rowsOf(sight)).slice(0, 3)).toEqual(["vm1/dns", "vm1/web9", "vm1/web10"]);
      await press("Asked by");
      await press("Asked by");
      await expect.poll(async () => (await rowsOf(sight)).slice(0, 2)).toEqual(["vm1/db", "vm1/ssh"]);
    });
  });

  test("are found by words in any order and by who asked", async () => {
    await withPage(five, async ({ open }) => {
      const sight = await open("#/openings");
      const { page } = sight;
      await page.getByRole("row", { name: /vm1\/ssh/ }).waitFor();
      await page.keyboard.press("/");
      await page.keyboard.type("release ADA");
      await expect.poll(() => rowsOf(sight)).toEqual(["vm1/ssh"]);
      await page.keyboard.press("Escape");
      await expect.poll(async () => (await rowsOf(sight)).length).toBe(5);
      await page.getByRole("searchbox", { name: "Search" }).fill("22::7");
      await expect.poll(() => rowsOf(sight)).toEqual(["vm1/dns"]);
      await page.getByRole("searchbox", { name: "Search" }).fill("nowhere");
      await page.getByText("Nothing matches the search").waitFor();
      await page.getByRole("searchbox", { name: "Search" }).fill("");
      const asked = page.getByRole("group", { name: "Asked by" });
      await asked.getByRole("button", { name: "label" }).click();
      await expect.poll(() => rowsOf(sight)).toEqual(["vm1/db", "vm1/ssh"]);
      await asked.getByRole("button", { name: "person" }).click();
      await page.getByText("Nothing matches the search").waitFor();
    });
  });

  test("are used by keyboard alone: from row to row, to the reasons and back", async () => {
    await withPage(five, async ({ open }) => {
      const { page } = await open("#/openings");
      const named = (name: string): ReturnType<typeof page.getByRole> =>
        page.getByRole("table", { name: "Openings" }).getByRole("button", { name, exact: true });
      await named("vm1/db").focus();
      await page.keyboard.press("ArrowDown");
      await page.keyboard.press("ArrowDown");
      await expect.poll(() => page.evaluate("document.activeElement?.textContent")).toBe("vm1/ssh");
      await page.keyboard.press("ArrowUp");
      await expect.poll(() => page.evaluate("document.activeElement?.textContent")).toBe("vm1/dns");
      await page.keyboard.press("Enter");
      const why = page.getByRole("complementary", { name: "Why" });
      await why.getByText("request", { exact: true }).waitFor();
      expect(await why.locator(".asked").innerText()).toBe("[2001:db8:1234:321d:22::7]:ping from internet");
      await page.keyboard.press("Escape");
      await expect.poll(() => page.evaluate("document.activeElement?.textContent")).toBe("vm1/dns");
    });
  });

  test("that were refused have their code, the reason and what to do", async () => {
    await withPage(
      (controller) => {
        controller.scene.refusals.set("vm1", [
          refusal({ why: "Port 5432 is in policy.never", fix: "take it out, `sixgate plan` says what changes" }),
          refusal({ text: "80", code: "E224", at: "sixgate.open rule 2 column 4" }),
        ]);
      },
      async ({ open }) => {
        const { page } = await open("#/openings?tab=refused");
        const row = page.getByRole("row", { name: /policy\.never/ });
        await row.waitFor();
        expect(await row.getByRole("cell").allInnerTexts()).toEqual([
          "E223",
          "vm1/db",
          "5432",
          "Port 5432 is in policy.never",
          "take it out, sixgate plan says what changes",
        ]);
        expect(await row.locator(".fix code").innerText()).toBe("sixgate plan");
        await page.getByRole("button", { name: "Code" }).click();
        await page.getByRole("button", { name: "Code" }).click();
        await expect.poll(() => page.locator(".body .code").allInnerTexts()).toEqual(["E224", "E223"]);
        await page.getByRole("link", { name: "Not asked for" }).click();
        await page.getByText("No port is waiting").waitFor();
      },
    );
  });

  test("that nobody asked for come with the label to copy", async () => {
    await withPage(
      (controller) => {
        controller.scene.suggestions.set("vm1", [suggestion()]);
      },
      async ({ open }) => {
        const { page, wrong } = await open("#/openings?tab=suggested");
        await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
        await page.getByRole("button", { name: "Copy sixgate.open=6379" }).click();
        await page.getByText("Copied").waitFor();
        expect(await page.evaluate("navigator.clipboard.readText()")).toBe("sixgate.open=6379");
        await page.getByRole("button", { name: "Open for some time: vm1/cache 6379/tcp" }).click();
        const dialog = page.getByRole("dialog", { name: "Open for some time" });
        expect(await dialog.getByLabel("Container or address").inputValue()).toBe("vm1/cache");
        expect(await dialog.getByLabel("Ports").inputValue()).toBe("6379/tcp");
        expect(wrong).toEqual([]);
      },
    );
  });
});

describe.skipIf(noBrowser !== undefined)("at both widths, light and dark", () => {
  test.each([
    ["open", "Openings"],
    ["refused", "Refused"],
    ["suggested", "Not asked for"],
  ])("the list %s is well made", async (tab, name) => {
    await withPage(fill, (stand) =>
      expectWellMade(stand, `#/openings?tab=${tab}`, ({ page }) => page.getByRole("table", { name }).waitFor()),
    );
  });

  test("the dialogs and the reasons are well made", async () => {
    await withPage(fill, async (stand) => {
      await expectWellMade(stand, "#/openings", async ({ page }) => {
        await page.getByRole("button", { name: "Open for…" }).click();
        await page.getByRole("dialog").waitFor();
      });
      await expectWellMade(stand, "#/openings", async ({ page }) => {
        await page.getByRole("button", { name: "vm1/api", exact: true }).click();
        await page.getByRole("complementary", { name: "Why" }).getByText("decision", { exact: true }).waitFor();
      });
    });
  });

  test("an empty fleet is a list of first steps", async () => {
    const nothing = (controller: MemoryController): void => {
      const { hosts } = controller.basis().plan;
      for (const { host } of hosts) controller.scene.agents.push({ host, state: "never", containers: 0 });
    };
    await withPage(nothing, async (stand) => {
      await expectWellMade(stand, "#/openings", ({ page }) => page.getByText("sixgate invite vm1").waitFor());
      const { page } = await stand.open("#/openings");
      const steps = page.getByRole("list", { name: "First steps" });
      await steps.getByText("The fleet file has no tests").waitFor();
      const marks = (): Promise<readonly (string | null)[]> =>
        steps.getByRole("img").evaluateAll((all) => all.map((each) => each.ariaLabel));
      expect(await marks()).toEqual(["done", "to do", "to do", "to do"]);
      const [first] = stand.controller.scene.agents;
      if (first === undefined) throw new Error("The lab has no host");
      stand.controller.scene.agents.splice(0, Number.POSITIVE_INFINITY, { ...first, state: "connected" });
      stand.controller.emit({ kind: "agent", at: instant(Date.now()), agent: { ...first, state: "connected" } });
      await steps.getByText("1 of 1 hosts have an agent").waitFor();
      await expect.poll(marks).toEqual(["done", "done", "to do", "to do"]);
    });
  });
});
