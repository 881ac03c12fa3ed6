import { homedir } from "node:os";
import { join } from "node:path";

/** Where unpacked packages and engines are kept between labs. Removing the folder costs only time. */
export function cacheFolder(): string {
  const set = process.env["SIXGATE_CACHE"];
  if (set !== undefined) return set;
  if (process.getuid?.() === 0) return "/var/cache/sixgate";
  return join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "sixgate");
}
