import { describe, expect, test } from "vitest";
import type { MemoryController } from "../web/memory-controller.ts";
import { container, opening } from "../web/views.ts";
import { noBrowser } from "./browser.ts";
import { expectWellMade } from "./maps.ts";
import { type PageStand, withPage } from "./stand.ts";

const web = "2001:db8:1234:321d:23::80";

function fill({ scene }: MemoryController): void {
  scene.containers.set("vm1", [container("web", web)]);
  scene.openings.set("vm1", [opening("a"), opening("b", { service: { kind: "ping" } })]);
}

/** As `sixgate probe --report` does. */
async function report(stand: PageStand, state: "open" | "filtered", times = 1): Promise<void> {
  const reason = state === "open" ? "syn-ack" : "no-response";
  const answer = { to: web, transport: "tcp", port: 443, state, reason, ms: 2 };
  await stand.json("/api/v1/probes", {
    method: "POST",
    body: { from: "internet", answers: Array.from({ length: times }, () => answer) },
  });
}

describe.skipIf(noBrowser !== undefined)("checks with packets", () => {
  test("are a strip of bars that has words too, and nothing where nobody looked", async () => {
    await withPage(fill, async (stand) => {
      await report(stand, "filtered", 3);
      await report(stand, "open", 2);
      const { page, wrong } = await stand.open("#/openings");
      const strip = page.getByRole("img", { name: /^Proved\. 5 checks: 3 filtered, 2 open\. Last: open \(syn-ack\)/ });
      await strip.waitFor();
      expect(await strip.locator("i").count()).toBe(30);
      expect(await strip.locator("i.bad").count()).toBe(3);
      expect(await strip.locator("i").last().getAttribute("class")).toBe("good");
      await page.locator(".row", { hasText: "ping" }).locator(".checks", { hasText: "none" }).waitFor();
      expect(wrong).toEqual([]);
    });
  });

  test("colour the map only where all of it was proved, and mark what a packet did not reach", async () => {
    await withPage(fill, async (stand) => {
      stand.controller.scene.openings.set("vm1", [opening("a")]);
      await report(stand, "open");
      const { page } = await stand.open("#/map");
      await page.locator(".map-of-container.map-proved", { hasText: "web" }).waitFor();
      expect(await page.locator(".map-edge.map-proved").count()).toBeGreaterThanOrEqual(4);
      await report(stand, "filtered");
      const { page: again } = await stand.open("#/map");
      await again.locator(".map-of-container.map-open", { hasText: "not reached" }).waitFor();
      expect(await again.locator(".map-proved.map-edge").count()).toBe(0);
      await again.getByRole("button", { name: /^web/ }).click();
      await again.getByRole("complementary", { name: "Container" }).getByText("not reached").waitFor();
    });
  });

  test("are well made at both widths, light and dark", async () => {
    await withPage(fill, async (stand) => {
      await report(stand, "filtered", 3);
      await report(stand, "open", 2);
      await expectWellMade(stand, "#/openings", ({ page }) => page.getByText("443/tcp").first().waitFor());
    });
  });
});
