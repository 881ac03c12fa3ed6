import { describe, expect, test } from "vitest";
import { type Instant, instant } from "../../src/base/time.ts";
import { compareAddresses } from "../../src/net/address.ts";
import { MemoryController } from "../web/memory-controller.ts";
import { opening, refusal, suggestion } from "../web/views.ts";
import { noBrowser, type Sight } from "./browser.ts";
import { basisOf, populate } from "./site.ts";
import { type PageStand, withPage } from "./stand.ts";

/** 1,000 hosts of three networks, and about a hundred openings on each. */
const hosts = 1000;
const basis = basisOf(hosts);
const made = (now: () => Instant): MemoryController => new MemoryController(now, basis);

function fill(controller: MemoryController): void {
  const networks = basis.plan.hosts[0]?.networks.length ?? 1;
  populate(controller, Math.ceil(200 / networks), ["web", "api", "db"]);
  for (const { host, networks: all } of basis.plan.hosts) {
    const to = all[0]?.gateway;
    if (to === undefined) continue;
    const of = (n: number): { readonly id: string; readonly name: string } => ({
      id: `${n}`.repeat(64),
      name: `c${n}`,
    });
    controller.scene.refusals.set(host, [refusal({ host, to, container: of(1) })]);
    controller.scene.suggestions.set(
      host,
      Array.from({ length: 10 }, (_, n) => suggestion({ host, address: to, container: of(n) })),
    );
  }
}

const elements = ({ page }: Sight): Promise<number> => page.locator("#page *").count();
const first = ({ page }: Sight): Promise<string> => page.locator(".table .body .container").first().innerText();

/** Milliseconds that the work takes; printed, never judged: what judges is the number of elements. */
async function timed(what: string, work: () => Promise<unknown>): Promise<void> {
  const began = performance.now();
  await work();
  console.log(`${hosts} hosts: ${what} ${Math.round(performance.now() - began)} ms`);
}

/** The longest that the page could not answer while the work went on, beside how long it took. */
async function timedInPage({ page }: Sight, what: string, work: () => Promise<unknown>): Promise<void> {
  await page.evaluate(`window.longest = 0; window.watch = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) window.longest = Math.max(window.longest, duration);
  }); window.watch.observe({ type: "longtask" })`);
  await timed(what, work);
  const longest = await page.evaluate("window.watch.disconnect(), Math.round(window.longest)");
  console.log(`  longest task of the page ${String(longest)} ms`);
}

/** Whose address is the highest. */
function highest({ scene }: MemoryController): string {
  const all = [...scene.openings.values()].flat();
  const last = all.reduce((a, b) => (compareAddresses(a.to, b.to) < 0 ? b : a));
  return `${last.host}/${last.container?.name ?? ""}`;
}

function busy({ controller }: PageStand, n: number): void {
  const at = instant(Date.now());
  const [host] = basis.plan.hosts;
  if (host === undefined) throw new Error("No host");
  const fresh = opening(`busy ${n}`, {
    host: host.host,
    to: host.address,
    container: { id: "8".repeat(64), name: `busy-${n}` },
  });
  controller.scene.openings.get(host.host)?.push(fresh);
  controller.emit({ kind: "opened", at, opening: fresh, ms: 5 });
}

describe.skipIf(noBrowser !== undefined)("1,000 hosts and 100,000 openings", () => {
  test("stay usable: rows that are not seen are not in the document", async () => {
    await withPage(
      fill,
      async (stand) => {
        const open = stand.controller.status().openings;
        expect(open).toBeGreaterThanOrEqual(100_000);
        const sight = await stand.look();
        const { page, wrong } = sight;
        const rows = page.locator(".table .body .row");
        await timed("sign-in to the first row", async () => {
          await page.goto(await stand.link());
          await rows.first().waitFor();
        });
        await timedInPage(sight, "until all are read", () =>
          page.getByRole("link", { name: `Open ${open.toLocaleString("en")}` }).waitFor({ timeout: 100_000 }),
        );
        await page.getByText("Reading the rest…").waitFor({ state: "detached" });
        expect(await page.getByRole("table").getAttribute("aria-rowcount")).toBe(String(open + 1));
        expect(await elements(sight)).toBeLessThan(1200);
        expect(await first(sight)).toMatch(/^vm1\//);

        await timedInPage(sight, "to the last row", async () => {
          await page.getByRole("table").evaluate((it) => it.scrollTo(0, it.scrollHeight));
          await page.locator(`.row[aria-rowindex="${open + 1}"]`).waitFor();
        });
        expect(await elements(sight)).toBeLessThan(1200);

        await timedInPage(sight, "to what a search leaves", async () => {
          await page.getByRole("searchbox", { name: "Search" }).fill("vm777/ api");
          await expect.poll(() => first(sight)).toBe("vm777/api");
        });
        expect(Number(await page.getByRole("table").getAttribute("aria-rowcount"))).toBeLessThan(200);
        await page.getByRole("searchbox", { name: "Search" }).fill("");

        await timedInPage(sight, "to the order of addresses, downwards", async () => {
          await page.getByRole("button", { name: "Address and port" }).click();
          await page.getByRole("button", { name: "Address and port" }).click();
          await expect.poll(() => first(sight)).toBe(highest(stand.controller));
        });
        expect(await elements(sight)).toBeLessThan(1200);

        await timedInPage(sight, "500 events in that order, to the last of them", async () => {
          for (let n = 0; n < 500; n += 1) {
            busy(stand, n);
            if (n % 25 === 0) await new Promise((resolve) => setTimeout(resolve, 20));
          }
          await page.getByRole("link", { name: `Open ${(open + 500).toLocaleString("en")}` }).waitFor();
        });
        await page.getByRole("searchbox", { name: "Search" }).fill("busy-499");
        await expect.poll(() => first(sight)).toBe("vm1/busy-499");
        expect(wrong).toEqual([]);
      },
      made,
    );
  });

  test("change without being read whole: an event costs its own host's refusals and suggestions", async () => {
    await withPage(
      fill,
      async (stand) => {
        const sight = await stand.open("#/openings?tab=suggested");
        const { page } = sight;
        await page.getByRole("link", { name: "Not asked for 10,000" }).waitFor({ timeout: 100_000 });
        const open = stand.controller.status().openings.toLocaleString("en");
        await page.getByRole("link", { name: `Open ${open}` }).waitFor({ timeout: 100_000 });
        const asked: string[] = [];
        page.on("request", (request) => asked.push(new URL(request.url()).pathname + new URL(request.url()).search));
        stand.controller.scene.suggestions.set("vm1", []);
        busy(stand, 1);
        await page.getByRole("link", { name: "Not asked for 9,990" }).waitFor();
        const lists = asked.filter((each) => /suggestions|refusals|openings/.test(each));
        expect(lists.sort()).toEqual([
          "/api/v1/refusals?limit=1000&host=vm1",
          "/api/v1/suggestions?limit=1000&host=vm1",
        ]);
      },
      made,
    );
  });

  test("agents stay usable", async () => {
    await withPage(
      fill,
      async ({ open }) => {
        const sight = await open("#/activity?tab=agents");
        const { page } = sight;
        await page.getByRole("link", { name: "Agents 1,000" }).waitFor();
        expect(await elements(sight)).toBeLessThan(1200);
        await page.getByRole("searchbox", { name: "Search" }).fill("vm500");
        await expect.poll(() => page.locator(".table .body .host").allInnerTexts()).toEqual(["vm500"]);
      },
      made,
    );
  });
});
