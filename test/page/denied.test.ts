import { describe, expect, test } from "vitest";
import { instant } from "../../src/base/time.ts";
import { address } from "../../src/net/address.ts";
import type { MemoryController } from "../web/memory-controller.ts";
import { container } from "../web/views.ts";
import { noBrowser } from "./browser.ts";
import { hostile } from "./fleet.ts";
import { expectWellMade } from "./maps.ts";
import { withPage } from "./stand.ts";

const web = "2001:db8:1234:321d:23::80";

function knock(controller: MemoryController): void {
  controller.scene.containers.set("vm1", [container(hostile[0] ?? "", web), container("api", `${web.slice(0, -2)}81`)]);
  const event = { kind: "denied", at: instant(Date.now()), to: address(web), transport: "tcp", count: 1200 } as const;
  controller.emit({ ...event, from: address("2001:db8:aaaa::9"), port: 3389 });
  controller.emit({ ...event, from: address("2600:1::5"), port: 22, count: 1 });
  controller.emit({ ...event, from: address("2600:1::7"), port: 22, count: 2 });
  controller.emit({ ...event, from: address("2600:1::7"), transport: "89", count: 1 });
}

describe.skipIf(noBrowser !== undefined)("denied packets under Activity", () => {
  test("are grouped, searched, and lead to the reasons; names stay text", async () => {
    await withPage(knock, async ({ open, controller }) => {
      const { page, wrong } = await open("#/activity?tab=denied");
      const table = page.getByRole("table", { name: "Denied" });
      await table.getByText("protocol 89").waitFor();
      expect(await table.locator(".body .row").count()).toBe(3);
      await table.getByText("1,204 packets").or(page.getByText("1,204 packets in 3 groups")).waitFor();
      const ssh = table.locator(".body .row", { hasText: "22/tcp" });
      expect(await ssh.locator(".count").innerText()).toBe("3");
      expect(await ssh.innerText()).toContain(hostile[0]);
      expect(await page.locator(".table img").count()).toBe(0);
      await page.getByRole("searchbox", { name: "Search" }).fill("office");
      await expect.poll(() => table.locator(".body .row").count()).toBe(1);
      await table.getByRole("button", { name: /^Why was 3389/ }).click();
      await page.getByRole("heading", { name: "Why" }).waitFor();
      controller.emit({
        kind: "denied",
        at: instant(Date.now()),
        from: address("2001:db8:aaaa::9"),
        to: address(web),
        transport: "udp",
        port: 53,
        count: 1,
      });
      await table.getByText("53/udp").waitFor();
      expect(wrong).toEqual([]);
    });
  });

  test("say so when there are none", async () => {
    await withPage(
      () => undefined,
      async ({ open }) => {
        const { page } = await open("#/activity?tab=denied");
        await page.getByText("Nothing was turned away in the last five minutes").waitFor();
      },
    );
  });

  test("are well made at both widths, light and dark", async () => {
    await withPage(knock, (stand) =>
      expectWellMade(stand, "#/activity?tab=denied", ({ page }) => page.getByText("protocol 89").waitFor()),
    );
  });
});
