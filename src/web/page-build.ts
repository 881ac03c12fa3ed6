import { createHash } from "node:crypto";
import { readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../base/failure.ts";
import { readText } from "../runtime/files.ts";
import { runProcess } from "../runtime/process.ts";

/** Milliseconds; two seconds on an idle machine. */
const patience = 180_000;

/** The project's folder, or that of an installed package. */
const root = join(import.meta.dirname, "../..");

/**
 * Sees that the page is there. In a clone it is built when it was not yet, or when a file that it was made of has
 * changed since; a package has it built and no sources of it. Rejects with E980 when it can't be built: what was there
 * before is there still. `say` is told before it takes time. Asks nothing of the network.
 */
export async function ensurePage(say: (line: string) => void, project: string = root): Promise<void> {
  if ((await readText(join(project, "src/web/ui/vite.config.ts"))) === undefined) return;
  const why = await whyNot(project);
  if (why === undefined) return;
  say(`building the page: ${why}`);
  await build(project);
}

/** Why the page that is there does not do; undefined when it does. */
async function whyNot(project: string): Promise<string | undefined> {
  const made = await readMadeFrom(project);
  if (made === undefined) return "it was not built yet";
  for (const [path, hash] of made) {
    const bytes = await readFile(join(project, path)).catch(() => undefined);
    if (bytes === undefined || createHash("sha256").update(bytes).digest("hex") !== hash)
      return `${path} has changed since it was built`;
  }
  return undefined;
}

/** What the page was made of, with hashes: the build writes it beside the page (vite.config.ts). */
async function readMadeFrom(project: string): Promise<readonly (readonly [string, string])[] | undefined> {
  const text = await readText(join(project, "dist/ui/made-from.json"));
  try {
    const read: unknown = JSON.parse(text ?? "");
    return typeof read === "object" && read !== null ? Object.entries(read as Record<string, string>) : undefined;
  } catch {
    return undefined;
  }
}

/** Beside the page that is there, then in its place: who reads finds a whole one, and a failed build changes nothing. */
async function build(project: string): Promise<void> {
  const [ui, fresh, old] = ["ui", `ui.new-${process.pid}`, `ui.old-${process.pid}`].map((name) =>
    join(project, "dist", name),
  ) as [string, string, string];
  const vite = join(project, "node_modules/vite/bin/vite.js");
  if ((await readText(vite)) === undefined)
    throw cantBuild(
      "The packages that build it are not installed",
      "run `npm ci --ignore-scripts` in the project's folder",
    );
  const words = [process.execPath, vite, "build", join(project, "src/web/ui")];
  const how = ["--configLoader", "native", "--logLevel", "error", "--outDir", fresh, "--emptyOutDir"];
  try {
    const ran = await runProcess("build of the page", [...words, ...how], { timeout: patience });
    if (ran.code !== 0)
      throw cantBuild((ran.stderr.trim() || ran.stdout.trim()).slice(0, 400), "`npm run build:page` shows all of it");
    await rename(ui, old).catch(ignoreAbsent);
    // Another process that built it at the same time was first: its page is as new.
    await rename(fresh, ui).catch(ignoreThere);
  } finally {
    for (const folder of [fresh, old]) await rm(folder, { recursive: true, force: true });
  }
}

function cantBuild(text: string, fix: string): Failure {
  return new Failure("E980", "page", text, fix);
}

function ignoreAbsent(cause: NodeJS.ErrnoException): void {
  if (cause.code !== "ENOENT") throw cause;
}

function ignoreThere(cause: NodeJS.ErrnoException): void {
  if (cause.code !== "ENOTEMPTY" && cause.code !== "EEXIST") throw cause;
}
