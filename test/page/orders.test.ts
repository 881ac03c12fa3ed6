import { describe, expect, test } from "vitest";
import { noBrowser } from "./browser.ts";
import { fill, five, inNetwork, rowsOf } from "./fleet.ts";
import { withPage } from "./stand.ts";

describe.skipIf(noBrowser !== undefined)("opening and closing", () => {
  test("takes a reason and an end, shows what is refused, and then what is open", async () => {
    await withPage(five, async ({ open, controller }) => {
      const { page, wrong } = await open("#/openings");
      await page.getByRole("button", { name: "Open for…" }).click();
      const dialog = page.getByRole("dialog", { name: "Open for some time" });
      await dialog.getByLabel("Container or address").fill(inNetwork(0x99));
      await dialog.getByLabel("Ports").fill("8443/tcp");
      await dialog.getByRole("textbox", { name: "From" }).fill("2001:db8:bbbb::/48");
      await dialog.getByRole("combobox").selectOption("2h");
      await dialog.getByRole("button", { name: "Open", exact: true }).click();
      // Without a reason nothing is sent: the browser asks for it.
      expect(
        await dialog.getByRole("textbox", { name: "Because" }).evaluate((field) => field.validity.valueMissing),
      ).toBe(true);
      expect(controller.scene.openings.get("vm1")?.length).toBe(5);
      await dialog.getByRole("textbox", { name: "Because" }).fill("hot fix; it's late");
      expect(await dialog.locator(".command code").innerText()).toBe(
        `sixgate open ${inNetwork(0x99)} 8443/tcp --from 2001:db8:bbbb::/48 --for 2h --because 'hot fix; it'\\''s late'`,
      );
      await dialog.getByLabel("Ports").fill("99999");
      await dialog.getByRole("button", { name: "Open", exact: true }).click();
      await dialog.getByRole("alert").getByText("E955").waitFor();
      await dialog.getByLabel("Ports").fill("8443/tcp");
      await dialog.getByRole("button", { name: "Open", exact: true }).click();
      await dialog.waitFor({ state: "detached" });
      const row = page.getByRole("row", { name: /hot fix; it's late/ });
      await row.waitFor();
      expect(await row.locator(".to, .from, .by, .grant, .left").allInnerTexts()).toEqual([
        `${inNetwork(0x99)} 8443/tcp`,
        "2001:db8:bbbb::/48",
        "person admin: hot fix; it's late",
        "test",
        expect.stringMatching(/^(119 min|2 h)$/),
      ]);
      await page.getByRole("status").getByText("Opened 8443/tcp").waitFor({ state: "attached" });
      const entry = controller.journalEntries.at(-1);
      expect([entry?.who, entry?.what, entry?.detail["reason"]]).toEqual(["admin", "opened", "hot fix; it's late"]);
      expect(wrong.filter((each) => !each.includes("400"))).toEqual([]);
    });
  });

  test("closes with a reason, and only what a person opened", async () => {
    await withPage(five, async ({ open, controller }) => {
      const sight = await open("#/openings");
      const { page, wrong } = sight;
      await page.getByRole("row", { name: /vm1\/ssh/ }).waitFor();
      expect(await page.getByRole("button", { name: /^Close vm1/ }).count()).toBe(2);
      await page.getByRole("button", { name: "Close vm1/ssh 22/tcp" }).click();
      const dialog = page.getByRole("dialog", { name: "Close 22/tcp of vm1/ssh" });
      await dialog.getByRole("button", { name: "Close it" }).click();
      expect(
        await dialog.getByRole("textbox", { name: "Because" }).evaluate((field) => field.validity.valueMissing),
      ).toBe(true);
      await dialog.getByRole("textbox", { name: "Because" }).fill("done");
      expect(await dialog.locator(".command code").innerText()).toBe("sixgate close c --because done");
      await page.keyboard.press("Escape");
      await dialog.waitFor({ state: "detached" });
      expect(controller.opening("c")).toBeDefined();
      await page.getByRole("button", { name: "Close vm1/ssh 22/tcp" }).click();
      await dialog.getByRole("textbox", { name: "Because" }).fill("done");
      await dialog.getByRole("button", { name: "Close it" }).click();
      await expect.poll(() => rowsOf(sight)).toEqual(["vm1/db", "vm1/dns", "vm1/web9", "vm1/web10"]);
      expect(controller.opening("c")).toBeUndefined();
      expect(controller.journalEntries.at(-1)?.detail).toEqual({ id: "c", reason: "done" });
      expect(wrong).toEqual([]);
    });
  });

  test("is not offered to viewers, and refused if they ask all the same", async () => {
    await withPage(fill, async (stand) => {
      const { page } = await stand.look();
      await page.goto(await stand.link(await stand.tokenOf("viewer")));
      await page.getByRole("table", { name: "Openings" }).locator(".body .row").first().waitFor();
      const orders = page.getByRole("button", { name: /^(Open for|Close vm1)/ });
      expect(await orders.count()).toBe(0);
      await page.getByRole("link", { name: "Not asked for" }).click();
      await page.getByRole("table", { name: "Not asked for" }).locator(".body .row").first().waitFor();
      expect(await orders.count()).toBe(0);
      expect(
        await page.evaluate(`fetch("/api/v1/openings/o1/close", {
          method: "POST", headers: { "content-type": "application/json" }, body: '{"reason":"mine"}',
        }).then((response) => response.status)`),
      ).toBe(403);
      expect(stand.controller.opening("o1")).toBeDefined();
    });
  });
});
