import { readdir, readFile } from "node:fs/promises";
import { extname, join } from "node:path";

/** One file of the page, as it is sent. */
export type PageFile = {
  readonly type: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Cache-Control: a file with a hash in its name never changes, index.html does with every version. */
  readonly cache: "no-cache" | "public, max-age=31536000, immutable";
};

/** By path: `/` and `/assets/…`. What is not in it is not served, so no path of a request reaches a disk. */
export type PageFiles = ReadonlyMap<string, PageFile>;

/** Where the build puts it: beside the sources in a clone, beside the compiled files in a package. */
export const pageFolder: string = join(import.meta.dirname, "../../dist/ui");

const types: Readonly<Record<string, string>> = {
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

/** Reads the page's files, once. Undefined when it was not built. */
export async function readPageFiles(folder: string = pageFolder): Promise<PageFiles | undefined> {
  const index = await readFile(join(folder, "index.html")).catch(notThere);
  if (index === undefined) return undefined;
  const files = new Map<string, PageFile>();
  files.set("/", { type: "text/html; charset=utf-8", bytes: new Uint8Array(index), cache: "no-cache" });
  for (const name of (await readdir(join(folder, "assets")).catch(notThere)) ?? []) {
    const type = types[extname(name)];
    if (type === undefined) continue;
    const bytes = new Uint8Array(await readFile(join(folder, "assets", name)));
    files.set(`/assets/${name}`, { type, bytes, cache: "public, max-age=31536000, immutable" });
  }
  return files;
}

function notThere(cause: NodeJS.ErrnoException): undefined {
  if (cause.code === "ENOENT") return undefined;
  throw cause;
}
