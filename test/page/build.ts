import { spawnSync } from "node:child_process";
import { join } from "node:path";

/** Before the first test: the page as it is now, not as it was built last. */
export function setup(): void {
  const project = join(import.meta.dirname, "../..");
  const vite = join(project, "node_modules/.bin/vite");
  const words = ["build", "src/web/ui", "--configLoader", "native", "--logLevel", "warn"];
  const ran = spawnSync(process.execPath, [vite, ...words], { cwd: project, encoding: "utf8" });
  if (ran.status !== 0) throw new Error(`The page could not be built:\n${ran.stdout}${ran.stderr}`);
}
