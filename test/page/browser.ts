import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, chromium, type Page } from "playwright-core";
import { quietChromium } from "../../scripts/chromium.ts";

const program = "/usr/bin/chromium";

/** Why there is no browser for these tests, or undefined. */
export const noBrowser: string | undefined = existsSync(program) ? undefined : "no chromium: apt-get install chromium";

export type Look = {
  readonly scheme?: "light" | "dark";
  readonly width?: number;
  readonly height?: number;
};

/** A page, and all that went wrong in it: errors, warnings, requests to elsewhere, violations of its policy. */
export type Sight = { readonly page: Page; readonly wrong: readonly string[] };

/** A new browser with an empty profile, for one piece of work. It asks nothing of the network but of loopback. */
export async function withBrowser<T>(work: (look: (look?: Look) => Promise<Sight>) => Promise<T>): Promise<T> {
  const profile = mkdtempSync(join(tmpdir(), "sixgate-page-"));
  let context: BrowserContext | undefined;
  try {
    context = await chromium.launchPersistentContext(profile, {
      executablePath: program,
      headless: true,
      args: [
        ...quietChromium,
        "--proxy-server=direct://",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
      ],
    });
    const opened = context;
    return await work((look = {}) => sightOf(opened, look));
  } finally {
    await context?.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function sightOf(context: BrowserContext, look: Look): Promise<Sight> {
  const page = await context.newPage();
  const wrong: string[] = [];
  await page.setViewportSize({ width: look.width ?? 1440, height: look.height ?? 900 });
  await page.emulateMedia({ colorScheme: look.scheme ?? "light", reducedMotion: "reduce" });
  page.on("pageerror", (error) => wrong.push(`error ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") wrong.push(`${message.type()} ${message.text()}`);
  });
  page.on("request", (request) => {
    if (!/^https?:\/\/(127\.0\.0\.1|localhost)[:/]/.test(request.url())) wrong.push(`request to ${request.url()}`);
  });
  await page.addInitScript(hearViolations);
  return { page, wrong };
}

/** Runs in the page, so it is text here: the tests' own types have no document. */
const hearViolations = `document.addEventListener("securitypolicyviolation", (event) =>
  console.error("policy " + event.violatedDirective + " " + event.blockedURI + " " + event.sample))`;
