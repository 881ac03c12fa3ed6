import { defineConfig } from "vite";

/**
 * The page: files with names of their content's hash, and an index.html that has neither script nor style in it. Nothing
 * is inlined (assetsInlineLimit), since the page's policy forbids `data:`.
 */
export default defineConfig({
  base: "/",
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
