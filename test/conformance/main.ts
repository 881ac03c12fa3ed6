/** A suite of conformance: gives the process's exit code, 0 when nothing failed. */
type Suite = { run(words: readonly string[]): Promise<number> };

/** `npm run conformance -- rfc`, `npm run conformance -- drivers`. */
const suites: Readonly<Record<string, () => Promise<Suite>>> = {
  rfc: () => import("./rfc/suite.ts"),
  drivers: () => import("./drivers/suite.ts"),
};

const [name = "", ...words] = process.argv.slice(2);
const suite = Object.hasOwn(suites, name) ? await suites[name]?.() : undefined;
if (suite === undefined) {
  console.error(`Name a suite: npm run conformance -- ${Object.keys(suites).join(" | ")}`);
  process.exitCode = 64;
} else {
  process.exitCode = await suite.run(words);
}
