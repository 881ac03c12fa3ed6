import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { expect } from "vitest";
import type { Sight } from "./browser.ts";
import type { PageStand } from "./stand.ts";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

type Violation = { readonly id: string; readonly nodes: readonly { readonly html: string }[] };

/** What axe finds in a page as it is now. */
export async function axeOf({ page }: Sight): Promise<readonly string[]> {
  // By the debugger's own way: the page's policy would refuse it as a script of the page.
  await page.evaluate(axe);
  const found = await page.evaluate<{ readonly violations: readonly Violation[] }>("axe.run()");
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html.slice(0, 200)}`);
}

const looks = [
  { width: 1440, scheme: "light" },
  { width: 1440, scheme: "dark" },
  { width: 390, scheme: "light" },
  { width: 390, scheme: "dark" },
] as const;

/** At both widths, light and dark: nothing that axe minds, nothing wrong in the console, nothing beside the screen. */
export async function expectWellMade(
  stand: PageStand,
  place: string,
  ready: (sight: Sight) => Promise<unknown>,
): Promise<void> {
  for (const look of looks) {
    const sight = await stand.open(place, look);
    await ready(sight);
    expect({ look, found: await axeOf(sight) }).toEqual({ look, found: [] });
    expect({ look, wrong: sight.wrong }).toEqual({ look, wrong: [] });
    expect(await sight.page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
    await sight.page.close();
  }
}
