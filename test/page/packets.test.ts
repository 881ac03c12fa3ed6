import { describe, expect, test } from "vitest";
import type { MemoryController } from "../web/memory-controller.ts";
import { opening } from "../web/views.ts";
import { noBrowser } from "./browser.ts";
import { withPage } from "./stand.ts";

const one = opening("a");
const many = 400;

function fill({ scene }: MemoryController): void {
  scene.openings.set(
    "vm1",
    Array.from({ length: many }, (_, n) =>
      opening(`o${n}`, { service: { kind: "ports", transport: "tcp", ports: { first: n + 1, last: n + 1 } } }),
    ),
  );
  scene.counts = [
    {
      to: one.to,
      from: one.from,
      service: { kind: "ports", transport: "tcp", ports: { first: 1, last: 1 } },
      packets: 12_345,
      bytes: 740_700,
    },
  ];
}

describe.skipIf(noBrowser !== undefined)("packets of openings", () => {
  test("are shown where they are counted, said to be unknown elsewhere, and asked for what is seen", async () => {
    await withPage(fill, async ({ open, controller }) => {
      const { page, wrong } = await open("#/openings");
      const table = page.getByRole("table", { name: "Openings" });
      const counted = table
        .locator(".body .row", { hasText: /\b1\/tcp/ })
        .first()
        .locator(".packets");
      await counted.getByText("12.3K").waitFor();
      expect(await counted.locator("span").getAttribute("title")).toMatch(/^12,345 packets .* 740,700 bytes, read/);
      await table.locator(".body .packets", { hasText: "unknown" }).first().waitFor();
      // Rows that nobody sees are in no request, and all that are seen are one reading of the gateway.
      expect(controller.scene.reads).toBe(1);
      expect(await table.locator(".body .packets").count()).toBeLessThan(many / 2);
      expect(wrong).toEqual([]);
    });
  });

  test("of a gateway that can't be read are unknown, with the reason", async () => {
    await withPage(
      (controller) => {
        fill(controller);
        controller.scene.gateway = { reached: false, error: "gone", drift: 0 };
      },
      async ({ open }) => {
        const { page } = await open("#/openings");
        await page.getByTitle("The gateway can't be read: Not reached").first().waitFor();
      },
    );
  });
});
