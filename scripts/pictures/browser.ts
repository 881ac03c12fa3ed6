import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, chromium, type Page } from "playwright-core";
import { quietChromium } from "../chromium.ts";
import { fontsIn } from "./fonts.ts";
import { readPng, writePng } from "./png.ts";
import { goOn } from "./run.ts";
import { fileOf, type Screen, schemes, screens, viewport } from "./screens.ts";

/** Chromium asks nobody for anything but the lab's door on this machine's loopback. */
const quiet = [
  ...quietChromium,
  "--proxy-server=direct://",
  "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
  // Letters where the font has them, not where a machine's settings would.
  "--font-render-hinting=none",
  "--disable-lcd-text",
];

type Say = (line: string) => void;

/** Takes each screen in each colour scheme and gives the files by name. Rejects where a screen does not show its words. */
export async function takePictures(link: string, say: Say): Promise<ReadonlyMap<string, Buffer>> {
  const work = mkdtempSync(join(tmpdir(), "sixgate-pictures-"));
  let context: BrowserContext | undefined;
  try {
    const fonts = await fontsIn(work, say);
    const program = join(work, "chromium");
    const script = `#!/bin/sh\nexport FONTCONFIG_FILE=${fonts}\nexec chromium "$@"\n`;
    writeFileSync(program, script, { mode: 0o755 });
    context = await chromium.launchPersistentContext(join(work, "profile"), {
      executablePath: program,
      headless: true,
      args: quiet,
      viewport,
      deviceScaleFactor: 1,
      locale: "en-GB",
      timezoneId: "UTC",
      reducedMotion: "reduce",
      handleSIGINT: false,
      handleSIGTERM: false,
      handleSIGHUP: false,
    });
    return await shoot(context, link, say);
  } finally {
    await context?.close();
    rmSync(work, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function shoot(context: BrowserContext, link: string, say: Say): Promise<ReadonlyMap<string, Buffer>> {
  const page = await context.newPage();
  await page.goto(link);
  await page.getByRole("button", { name: "Sign out" }).waitFor();
  const taken = new Map<string, Buffer>();
  for (const { name } of screens) {
    // Anew: what was opened on the screen before is not part of the next.
    await page.goto("about:blank");
    await page.goto(new URL(`#/${places[name]}`, link).href);
    for (const told of ["2/2", "11/11"]) await page.getByLabel("Health").getByText(told).waitFor();
    await ready[name](page);
    for (const scheme of schemes) {
      goOn();
      await page.emulateMedia({ colorScheme: scheme });
      const png = writePng(readPng(await page.screenshot({ animations: "disabled", caret: "hide" })));
      taken.set(fileOf(name, scheme), png);
      say(`  ${fileOf(name, scheme)}, ${Math.ceil(png.length / 1024)} kB`);
    }
  }
  return taken;
}

const places: Readonly<Record<Screen["name"], string>> = {
  map: "map",
  openings: "openings",
  why: "openings",
  addresses: "addresses",
  plan: "plan",
  activity: "activity",
};

/** What is done and waited for before a screen is looked at: it has what its words say. */
const ready: Readonly<Record<Screen["name"], (page: Page) => Promise<unknown>>> = {
  map: async (page) => {
    await page.locator(".map-node", { hasText: "mongo" }).filter({ hasText: "refused" }).waitFor();
    await page.locator(".map-node", { hasText: "office" }).filter({ hasText: "denied" }).waitFor();
  },
  openings: async (page) => {
    await page.getByText("a look at the new version").first().waitFor();
    await whole(page);
  },
  why: async (page) => {
    await whole(page);
    await page.getByRole("button", { name: "vm1/shop" }).click();
    await page.getByText("The gateway lets 8080/tcp in").first().waitFor();
  },
  addresses: async (page) => {
    await page.locator(".tree-row", { hasText: "vm1" }).click();
    await page.locator(".tree-inside").getByText("shop").first().waitFor();
  },
  plan: async (page) => {
    await page.getByRole("button", { name: "Make a plan" }).click();
    await page
      .getByText(/No changes: every device/)
      .first()
      .waitFor();
  },
  activity: (page) => page.locator(".table.journal .row", { hasText: "refused" }).first().waitFor(),
};

/** Checks and packets are read once a row is seen. */
function whole(page: Page): Promise<unknown> {
  return page.locator(".table.open .row", { hasText: "hello" }).filter({ hasNotText: "…" }).first().waitFor();
}
