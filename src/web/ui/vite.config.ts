import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { defineConfig, type Plugin } from "vite";

const project = join(import.meta.dirname, "../../..");
/** What decides about the page and is no module of it. The lock file stands for everything in node_modules. */
const besides = ["package-lock.json", "tsconfig.json", "src/web/ui/tsconfig.json", "src/web/ui/vite.config.ts"];

/**
 * Writes `made-from.json` beside the page: each file of the project that went into it, with the SHA-256 of its bytes. By
 * that `src/web/page-build.ts` sees whether the page is as new as its sources.
 */
function madeFrom(): Plugin {
  return {
    name: "made-from",
    generateBundle() {
      const modules = [...this.getModuleIds()]
        .map((id) => id.replace(/[?#].*$/, ""))
        .filter((id) => id.startsWith(`${project}/`) && !id.includes("/node_modules/"))
        .map((id) => relative(project, id));
      const icons = readdirSync(join(project, "src/web/ui/icons")).map((name) => `src/web/ui/icons/${name}`);
      const paths = [...new Set([...modules, ...icons, ...besides])].sort();
      const hash = (path: string): string =>
        createHash("sha256")
          .update(readFileSync(join(project, path)))
          .digest("hex");
      const source = JSON.stringify(Object.fromEntries(paths.map((path) => [path, hash(path)])), null, 2);
      this.emitFile({ type: "asset", fileName: "made-from.json", source: `${source}\n` });
    },
  };
}

/**
 * The page: files with names of their content's hash, and an index.html that has neither script nor style in it. Nothing
 * is inlined (assetsInlineLimit), since the page's policy forbids `data:`.
 */
export default defineConfig({
  base: "/",
  plugins: [madeFrom()],
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: "../../../dist/ui",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2023",
    reportCompressedSize: false,
  },
});
