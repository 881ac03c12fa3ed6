import { describe, expect, test } from "vitest";
import { MemoryController } from "../web/memory-controller.ts";
import { container } from "../web/views.ts";
import { noBrowser } from "./browser.ts";
import { hostile } from "./fleet.ts";
import { expectWellMade } from "./maps.ts";
import { basisOf, populate } from "./site.ts";
import { withPage } from "./stand.ts";

const fill = (controller: MemoryController): void => populate(controller, 10, ["web", ...hostile]);

describe.skipIf(noBrowser !== undefined)("the addresses", () => {
  test("go from the block to the address, and say who has it", async () => {
    await withPage(fill, async ({ open }) => {
      const { page, wrong } = await open("#/addresses");
      await page.getByText("4 of 4,096").waitFor();
      await page.getByRole("button", { name: /^vm1/ }).click();
      await page.getByText("Link and networks: 4 of 16").first().waitFor();
      await page.getByRole("button", { name: "2001:db8:1234:321d:21::100", exact: true }).click();
      await page.getByText("Container web on vm1, running").waitFor();
      await page.getByLabel("Who is 2001:…").fill("2001:db8:1234:321d:fff0::1");
      await page.getByRole("button", { name: "Ask" }).click();
      await page.getByText("In block 4095, which no host has").waitFor();
      await page.getByLabel("Who is 2001:…").fill("nobody");
      await page.getByRole("button", { name: "Ask" }).click();
      await page.getByText("Not an IPv6 address").waitFor();
      // The refusal of what was typed is an answer of 400, which Chromium notes.
      expect(wrong.filter((each) => !each.includes("400"))).toEqual([]);
      expect(await page.locator(".addresses-screen img").count()).toBe(0);
    });
  });

  test("map every block, by pointer and by keyboard", async () => {
    await withPage(fill, async ({ open }) => {
      const { page } = await open("#/addresses");
      const squares = page.getByRole("slider", { name: "Blocks by slot" });
      await squares.focus();
      await squares.press("Home");
      expect(await squares.getAttribute("aria-valuetext")).toBe("Slot 0: infrastructure");
      await squares.press("ArrowDown");
      expect(await squares.getAttribute("aria-valuenow")).toBe("64");
      await squares.press("End");
      expect(await squares.getAttribute("aria-valuetext")).toBe("Slot 4095: free");
      const box = await squares.boundingBox();
      if (box === null) throw new Error("No map");
      await page.mouse.move(box.x + (box.width * 2.5) / 64, box.y + (box.height * 0.5) / 64);
      await expect.poll(() => squares.getAttribute("aria-valuetext")).toMatch(/^Slot 2: vm1, \d+ addresses in use/);
    });
  });

  test("tell of conflicts", async () => {
    await withPage(
      (controller) => {
        controller.scene.containers.set("vm1", [
          container("one", "2001:db8:1234:321d:22::7"),
          container("two", "2001:db8:1234:321d:22::7"),
        ]);
      },
      async ({ open }) => {
        const { page } = await open("#/addresses");
        await page.getByText("two containers have it (one)").waitFor();
      },
    );
  });

  test("are well made at both widths, light and dark", async () => {
    await withPage(fill, (stand) =>
      expectWellMade(stand, "#/addresses", async ({ page }) => {
        await page.getByRole("button", { name: /^vm1/ }).click();
        await page.getByText("next free").waitFor();
      }),
    );
  });

  test("stay usable with 1,000 hosts: rows are bounded, what is next is known", async () => {
    const basis = basisOf(1000);
    await withPage(
      (controller) => populate(controller, 5, ["web"]),
      async ({ open }) => {
        const { page } = await open("#/addresses");
        await page.getByText("1,002 of 4,096").waitFor();
        expect(await page.locator(".tree-blocks > li").count()).toBe(100);
        expect(await page.getByText(/slot 1002/).count()).toBe(1);
        await page.getByLabel("Find a block by host, prefix or slot").fill("vm999");
        await expect.poll(() => page.locator(".tree-blocks > li").count()).toBe(1);
      },
      (now) => new MemoryController(now, basis),
    );
  });
});
