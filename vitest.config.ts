import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { LongestFirst } from "./test/longest-first.ts";

// Tests start hundreds of Nodes: what they read of our sources is stripped of types once.
const env = { NODE_COMPILE_CACHE: join(import.meta.dirname, "node_modules/.cache/sixgate-compile") };

// Three rooms: `unit` runs beside itself on every core, `lab` (packets in namespaces, engines) and `page` (a browser) one file at a time.
export default defineConfig({
  test: {
    // More than there are cores: most of the slow ones wait for a device to be itself again.
    maxWorkers: 4,
    env,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: { name: "unit", include: ["src/**/*.test.ts", "test/{golden,labels,property,conformance,cli,fakes}/**/*.test.ts"], testTimeout: 30_000 },
      },
      {
        // What `npm run package` makes, built and installed.
        test: { name: "package", include: ["test/package/**/*.test.ts"], testTimeout: 240_000, hookTimeout: 300_000, fileParallelism: false },
      },
      {
        test: {
          name: "lab",
          include: ["test/lab/**/*.test.ts"],
          testTimeout: 180_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: "page",
          include: ["test/page/**/*.test.ts"],
          // How long something may take until the page shows it: the machine may be busy.
          expect: { poll: { timeout: 30_000 } },
          globalSetup: ["test/page/build.ts"],
          testTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
