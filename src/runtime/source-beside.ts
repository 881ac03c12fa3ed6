import { fileURLToPath } from "node:url";

/**
 * Path of one of our own programs, named from the module that asks (`import.meta.url`) and without its ending: `.ts` in
 * a checkout, `.js` in an installed package.
 */
export function sourceBeside(asking: string, name: string): string {
  return fileURLToPath(new URL(`${name}${asking.endsWith(".ts") ? ".ts" : ".js"}`, asking));
}
