import { describe, expect, test } from "vitest";
import { MemoryController } from "../web/memory-controller.ts";
import { opening } from "../web/views.ts";
import { noBrowser } from "./browser.ts";
import { hostile } from "./fleet.ts";
import { expectWellMade } from "./maps.ts";
import { basisOf, disturb, populate } from "./site.ts";
import { withPage } from "./stand.ts";

const small = (controller: MemoryController): void => {
  populate(controller, 3, ["web", "api", "db"]);
  disturb(controller);
};

describe.skipIf(noBrowser !== undefined)("the map", () => {
  test("shows sources, gateway, hosts and containers, and leads to the reasons", async () => {
    await withPage(small, async (stand) => {
      const { page, wrong } = await stand.open("#/map");
      const picture = page.getByRole("group", { name: "Map of the fleet" });
      await picture.waitFor();
      for (const text of ["internet", "office", "fw", "vm1", "vm2", "web"])
        expect(await picture.getByText(text, { exact: true }).count()).toBeGreaterThan(0);
      expect(await picture.getByText(/denied/).count()).toBeGreaterThan(0);
      await picture.getByRole("button", { name: /^vm1/ }).first().press("Enter");
      await page.getByText("Whole fleet").waitFor();
      await picture.getByRole("button", { name: /^api/ }).first().click();
      const card = page.getByRole("complementary", { name: "Container" });
      await card.getByText("refused").waitFor();
      await card.getByRole("button", { name: "Why" }).last().click();
      await page.getByRole("heading", { name: "Why" }).waitFor();
      expect(wrong).toEqual([]);
    });
  });

  test("moves when something opens", async () => {
    await withPage(small, async ({ open, controller }) => {
      const { page } = await open("#/map");
      await page.getByRole("group", { name: "Map of the fleet" }).waitFor();
      const fresh = opening("new", {
        service: { kind: "ports", transport: "udp", ports: { first: 4433, last: 4433 } },
      });
      controller.scene.openings.get("vm1")?.push(fresh);
      controller.emit({ kind: "opened", at: fresh.since, opening: fresh });
      await page
        .locator(".map-detail", { hasText: "4433/udp" })
        .or(page.locator(".map-node", { hasText: "4433/udp" }))
        .first()
        .waitFor();
    });
  });

  test("filters by text, port and what is denied, in the list too", async () => {
    await withPage(small, async ({ open }) => {
      const { page } = await open("#/map");
      await page.getByRole("button", { name: "List" }).click();
      const list = page.locator(".map-list");
      await list.getByRole("button", { name: "vm2" }).waitFor();
      await page.getByLabel("Which hosts").selectOption("denied");
      await expect.poll(() => list.getByRole("button", { name: "vm2" }).count()).toBe(0);
      expect(await list.getByText("Denied in the last five minutes").count()).toBe(1);
      await page.getByLabel("Which hosts").selectOption("all");
      await page.getByLabel("Port, as 443 or 443/tcp").fill("9");
      await page.getByText("No host fits the filter").waitFor();
    });
  });

  test("shows names of containers as text, whatever they are", async () => {
    await withPage(
      (controller) => populate(controller, hostile.length, hostile),
      async ({ open }) => {
        const { page, wrong } = await open("#/map");
        await page.locator(".map-label", { hasText: "<img src=x" }).first().waitFor();
        expect(await page.locator(".map-screen img, .map-screen script").count()).toBe(0);
        expect(await page.locator(".map-screen").innerText()).not.toMatch(/[\u202e\u202c\u200b]/);
        await page.getByRole("button", { name: "List" }).click();
        await page.getByText("\\u{202e}", { exact: false }).first().waitFor();
        expect(await page.locator(".map-screen").innerText()).not.toMatch(/[\u202e\u202c\u200b]/);
        expect(wrong).toEqual([]);
      },
    );
  });

  test("is well made at both widths, light and dark", async () => {
    await withPage(small, (stand) =>
      expectWellMade(stand, "#/map", ({ page }) =>
        page.locator(".map-label, .map-list button", { hasText: "vm1" }).first().waitFor(),
      ),
    );
  });

  test("stays usable with 1,000 hosts and 90,000 containers: measured, not judged", async () => {
    const basis = basisOf(1000);
    await withPage(
      (controller) => populate(controller, 30, ["web", "api", "db"]),
      async ({ open }) => {
        const began = performance.now();
        const { page } = await open("#/map", {});
        await page.getByRole("group", { name: "Map of the fleet" }).waitFor();
        const first = performance.now() - began;
        const elements = await page.locator(".map-screen *").count();
        expect(elements).toBeLessThan(2000);
        const bundle = performance.now();
        await page.getByRole("button", { name: /hosts/ }).first().press("Enter");
        await page.getByText("Whole fleet").waitFor();
        await page
          .getByRole("button", { name: /^vm1\b/ })
          .first()
          .press("Enter");
        await page.locator(".map-label", { hasText: "more containers" }).first().waitFor();
        const inside = performance.now() - bundle;
        expect(await page.locator(".map-screen *").count()).toBeLessThan(2000);
        console.log(
          `map of 1,000 hosts: sign-in to picture ${Math.round(first)} ms, to one host's containers ${Math.round(inside)} ms, ${elements} elements`,
        );
      },
      (now) => new MemoryController(now, basis),
    );
  });
});
