import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, chromium } from "playwright-core";
import { type Lab, loginCode } from "./lab.ts";

const screens = ["map", "openings"] as const;
const schemes = ["light", "dark"] as const;

/** Chromium asks nobody for anything but the lab: it runs in the gateway's network, which has no way out. */
const quiet = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-dev-shm-usage",
];

/** Takes each screen in each colour scheme, 1440 × 900, and gives the paths. Throws where a screen shows nothing. */
export async function takePictures(lab: Lab, folder: string): Promise<readonly string[]> {
  mkdirSync(folder, { recursive: true });
  const work = mkdtempSync(join(tmpdir(), "sixgate-pictures-"));
  let context: BrowserContext | undefined;
  try {
    const program = join(work, "chromium");
    writeFileSync(program, `#!/bin/sh\nexec nsenter -t ${lab.pid} -n -- chromium "$@"\n`, { mode: 0o755 });
    context = await chromium.launchPersistentContext(join(work, "profile"), {
      executablePath: program,
      headless: true,
      args: quiet,
      // The certificate is of the lab's own authority, made a moment ago.
      ignoreHTTPSErrors: true,
      viewport: { width: 1440, height: 900 },
    });
    return await shoot(context, lab, folder);
  } finally {
    await context?.close();
    rmSync(work, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function shoot(context: BrowserContext, lab: Lab, folder: string): Promise<readonly string[]> {
  const page = await context.newPage();
  await page.goto(`${lab.url}/#code=${await loginCode(lab)}`);
  await page.getByRole("link", { name: "Openings" }).first().waitFor();
  const taken: string[] = [];
  for (const screen of screens)
    for (const scheme of schemes) {
      await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
      await page.goto(`${lab.url}/#/${screen}`);
      // A container of the lab: the screen has what it shows.
      await page.getByText("hello").filter({ visible: true }).first().waitFor();
      const path = join(folder, `${screen}-${scheme}.png`);
      await page.screenshot({ path, animations: "disabled" });
      taken.push(path);
    }
  return taken;
}
