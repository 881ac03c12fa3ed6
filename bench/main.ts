type Suite = { run(options: { readonly json: boolean }): Promise<void> };

/** `npm run bench -- net plan`; the quick ones when none is named. With `--json` one JSON line per suite. */
const suites: Readonly<Record<string, () => Promise<Suite>>> = {
  net: () => import("./net.ts"),
  plan: () => import("./plan.ts"),
  start: () => import("./start-to-open.ts"),
  agent: () => import("./agent.ts"),
  churn: () => import("./churn.ts"),
  hostile: () => import("./hostile.ts"),
  proof: () => import("./proof.ts"),
  openings: () => import("./openings.ts"),
  pf: () => import("./pf-lanes.ts"),
  forwarding: () => import("./forwarding.ts"),
};
/** These take minutes: only when they are named. */
const long: readonly string[] = ["start", "churn", "hostile", "forwarding"];

const words = process.argv.slice(2);
const json = words.includes("--json");
const named = words.filter((word) => !word.startsWith("--"));
const unknown = [
  ...named.filter((name) => !Object.hasOwn(suites, name)),
  ...words.filter((word) => word.startsWith("--") && word !== "--json"),
];
if (unknown.length > 0) {
  console.error(
    `No such suite or option: ${unknown.join(" ")}. Suites: ${Object.keys(suites).join(" ")}; option: --json`,
  );
  process.exitCode = 2;
} else {
  for (const name of named.length > 0 ? named : Object.keys(suites).filter((name) => !long.includes(name))) {
    const suite = await suites[name]?.();
    await suite?.run({ json });
  }
}
