import type { Reporter, TestModule } from "vitest/node";

/** Prints one plain closing line that scripts can read: `123 passed, 0 failed, 4 skipped`. */
export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const counts = { passed: 0, failed: errors.length, skipped: 0 };
    for (const module of modules) {
      const before = counts.passed + counts.failed + counts.skipped;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state !== "pending") counts[state]++;
      }
      // A file that could not be loaded has no tests, and must not pass for that.
      if (module.state() === "failed" && counts.passed + counts.failed + counts.skipped === before) counts.failed++;
    }
    process.once("exit", () =>
      process.stdout.write(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`),
    );
  }
}
