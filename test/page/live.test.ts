import { describe, expect, test } from "vitest";
import { instant } from "../../src/base/time.ts";
import type { MemoryController } from "../web/memory-controller.ts";
import { opening, refusal, suggestion } from "../web/views.ts";
import { noBrowser, type Sight } from "./browser.ts";
import { five, rowsOf } from "./fleet.ts";
import { type PageStand, withPage } from "./stand.ts";
import { type Wire, withWire } from "./wire.ts";

function openOne(controller: MemoryController, name: string, tell = true): void {
  const fresh = opening(name, { container: { id: "7".repeat(64), name }, since: instant(Date.now()) });
  controller.scene.openings.get("vm1")?.push(fresh);
  if (tell) controller.emit({ kind: "opened", at: fresh.since, opening: fresh, ms: 12 });
}

function closeOne(controller: MemoryController, id: string): void {
  const all = controller.scene.openings.get("vm1") ?? [];
  const closed = all.find((each) => each.id === id);
  if (closed === undefined) throw new Error(`Nothing of that id: ${id}`);
  controller.scene.openings.set(
    "vm1",
    all.filter((each) => each !== closed),
  );
  controller.emit({ kind: "closed", at: instant(Date.now()), opening: closed, why: "its container stopped" });
}

/** Signed in over a wire that can be cut. */
async function overWire(stand: PageStand, wire: Wire): Promise<Sight> {
  const sight = await stand.look();
  await sight.page.goto((await stand.link()).replace(stand.url, wire.url));
  await sight.page.getByRole("table", { name: "Openings" }).waitFor();
  return sight;
}

const told = ({ page }: Sight): Promise<string> => page.getByRole("region", { name: "Health" }).innerText();

describe.skipIf(noBrowser !== undefined)("what happens", () => {
  test("appears and goes without loading the page again", async () => {
    await withPage(five, async ({ open, controller }) => {
      const sight = await open("#/openings");
      const { page, wrong } = sight;
      await page.getByRole("row", { name: /vm1\/ssh/ }).waitFor();
      await page.evaluate("window.stays = true");
      openOne(controller, "fresh");
      await expect
        .poll(() => rowsOf(sight))
        .toEqual(["vm1/db", "vm1/dns", "vm1/fresh", "vm1/ssh", "vm1/web9", "vm1/web10"]);
      closeOne(controller, "fresh");
      await expect.poll(async () => (await rowsOf(sight)).includes("vm1/fresh")).toBe(false);
      const no = refusal({ why: "No rule allows it" });
      controller.scene.refusals.set("vm1", [no]);
      controller.emit({ kind: "refused", at: no.since, refusal: no });
      await page.getByRole("link", { name: "Refused 1", exact: true }).first().click();
      await page.getByRole("row", { name: /No rule allows it/ }).waitFor();
      // A refusal that is over has no event: what happens on its host tells.
      controller.scene.refusals.set("vm1", []);
      openOne(controller, "allowed now");
      await page.getByText("Nothing was refused").waitFor();
      // And when nothing happens there at all, their number does.
      controller.scene.refusals.set("vm1", [no]);
      controller.emit({ kind: "refused", at: no.since, refusal: no });
      await page.getByRole("row", { name: /No rule allows it/ }).waitFor();
      controller.scene.refusals.set("vm1", []);
      await page.getByText("Nothing was refused").waitFor();
      expect(await page.evaluate("window.stays")).toBe(true);
      expect(wrong).toEqual([]);
    });
  });

  test("to ports that nobody asks for is seen by who looks at them", async () => {
    await withPage(five, async ({ open, controller }) => {
      const { page } = await open("#/openings?tab=suggested");
      await page.getByText("No port is waiting").waitFor();
      controller.scene.suggestions.set("vm1", [suggestion()]);
      await page.getByRole("row", { name: /vm1\/cache/ }).waitFor();
      controller.scene.suggestions.set("vm1", []);
      await page.getByText("No port is waiting").waitFor();
    });
  });

  test("while the controller was away is caught up with, and that it was away is told", async () => {
    await withPage(five, (stand) =>
      withWire(stand.url, async (wire) => {
        const sight = await overWire(stand, wire);
        await expect.poll(() => told(sight)).toMatch(/Page live/);
        await wire.cut();
        await expect.poll(() => told(sight)).toMatch(/Page not live: what it shows may be old/);
        await expect.poll(() => told(sight), { timeout: 20_000 }).toMatch(/Controller not read/);
        // What was shown last is still there to be read.
        expect((await rowsOf(sight)).length).toBe(5);
        openOne(stand.controller, "meanwhile");
        closeOne(stand.controller, "c");
        await wire.mend();
        await expect
          .poll(() => rowsOf(sight), { timeout: 20_000 })
          .toEqual(["vm1/db", "vm1/dns", "vm1/meanwhile", "vm1/web9", "vm1/web10"]);
        await expect.poll(() => told(sight)).toMatch(/Page live[\s\S]*Gateway reached/);
      }),
    );
  });

  test("longer ago than events are kept is read anew", async () => {
    await withPage(five, (stand) =>
      withWire(stand.url, async (wire) => {
        const sight = await overWire(stand, wire);
        await expect.poll(() => told(sight)).toMatch(/Page live/);
        await wire.cut();
        await expect.poll(() => told(sight)).toMatch(/Page not live/);
        // Nobody tells of this one, and then more happens than the controller keeps.
        openOne(stand.controller, "untold", false);
        for (let n = 0; n < 5000; n += 1)
          stand.controller.emit({ kind: "gateway", at: instant(Date.now()), reached: true, text: "reached" });
        await wire.mend();
        await expect.poll(async () => (await rowsOf(sight)).includes("vm1/untold"), { timeout: 20_000 }).toBe(true);
      }),
    );
  });

  test("is not shown to a session that has ended: it asks to sign in", async () => {
    await withPage(five, async (stand) => {
      const sight = await stand.open("#/openings");
      await sight.page.getByRole("row", { name: /vm1\/ssh/ }).waitFor();
      stand.later(13 * 3_600_000);
      await sight.page.getByText("The session has ended. Sign in again.").waitFor({ timeout: 30_000 });
      expect(await sight.page.getByRole("table").count()).toBe(0);
    });
  });
});
