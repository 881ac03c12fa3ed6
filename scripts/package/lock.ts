import { readFileSync } from "node:fs";
import { join } from "node:path";
import { project } from "./run.ts";

/** An entry of a lock file (npm's lockfileVersion 3), as far as packaging reads it. */
export type Locked = Readonly<Record<string, unknown>> & {
  readonly version: string;
  /** SHA-512 as Subresource Integrity writes it. */
  readonly integrity?: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly devOptional?: boolean;
  readonly os?: string | readonly string[];
  readonly cpu?: string | readonly string[];
};

export type Lock = Readonly<Record<string, unknown>> & { readonly packages: Readonly<Record<string, Locked>> };

export function readLock(path: string): Lock {
  return JSON.parse(readFileSync(join(project, path), "utf8")) as Lock;
}

/** What ships, by its folder (`node_modules/zod`): nothing that only tests and builds need, and not the project itself. */
export function shipped(lock: Lock): ReadonlyMap<string, Locked> {
  const entries = Object.entries(lock.packages);
  return new Map(entries.filter(([path, each]) => path !== "" && each.dev !== true && each.devOptional !== true));
}

/** `node_modules/a/node_modules/@b/c` is package `@b/c`. */
export function packageName(path: string): string {
  return path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
}

export function runsOn(entry: Locked, os: string, cpu: string): boolean {
  const fits = (wanted: string | readonly string[] | undefined, is: string): boolean =>
    wanted === undefined || [wanted].flat().includes(is);
  return fits(entry.os, os) && fits(entry.cpu, cpu);
}
