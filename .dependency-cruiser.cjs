// The floors of the house: a folder imports only from those above it in this list.
// The first eight are pure: no node: modules (and, by oxlint, no clock, no randomness, no process).
const floors = [
  "base", "net", "openings", "fleet", "addressing", "desired", "change", "proof",
  "runtime", "drivers", "store", "agent", "controller", "probe", "web", "lab", "cli",
];
const pure = floors.slice(0, 8);
const upward = floors.slice(0, -1).map((floor, i) => ({
  name: `floor-${floor}`,
  comment: `${floor}/ imports only from the floors above it in the list`,
  severity: "error",
  from: { path: `^src/${floor}/`, pathNot: "\\.test\\.ts$" },
  to: { path: `^src/(${floors.slice(i + 1).join("|")})/` },
}));
module.exports = {
  forbidden: [
    ...upward,
    {
      name: "pure-floors", severity: "error", comment: "the lower floors touch nothing of the world",
      from: { path: `^src/(${pure.join("|")})/`, pathNot: "\\.test\\.ts$" }, to: { dependencyTypes: ["core"] },
    },
    {
      name: "drivers-apart", severity: "error", comment: "drivers do not know each other; linux/ is the room that those of Linux machines share, pf/ that of pfSense and OPNsense",
      from: { path: "^src/drivers/([^/]+)/", pathNot: "\\.test\\.ts$" },
      to: { path: "^src/drivers/[^/]+/", pathNot: ["^src/drivers/$1/", "^src/drivers/(linux|pf)/"] },
    },
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true } },
    { name: "no-orphans-in-air", severity: "error", comment: "an import that resolves to nothing", from: {}, to: { couldNotResolve: true } },
    {
      name: "no-dev-dependency", severity: "error", comment: "what ships uses only what ships",
      from: { path: "^src/", pathNot: ["\\.test\\.ts$", "^src/web/ui/"] }, to: { dependencyTypes: ["npm-dev"] },
    },
    {
      name: "page-runs-in-a-browser", severity: "error", comment: "the page takes code from base/, net/ and web/picture/ only, and types from the API's schemas",
      from: { path: "^src/web/ui/", pathNot: "\\.test\\.tsx?$" },
      to: { path: "^src/", pathNot: ["^src/web/ui/", "^src/(base|net)/", "^src/web/picture/"], dependencyTypesNot: ["type-only"] },
    },
    {
      name: "picture-runs-anywhere", severity: "error", comment: "what page and command line draw alike takes what both have",
      from: { path: "^src/web/picture/", pathNot: "\\.test\\.ts$" },
      to: { path: "^src/", pathNot: ["^src/web/picture/", "^src/(base|net)/"], dependencyTypesNot: ["type-only"] },
    },
    {
      name: "page-without-node", severity: "error", comment: "a browser has no node: modules",
      from: { path: "^src/web/(ui|picture)/", pathNot: ["\\.test\\.tsx?$", "vite\\.config\\.ts$"] }, to: { dependencyTypes: ["core"] },
    },
    {
      name: "page-is-built-apart", severity: "error", comment: "nothing of the page runs in Node",
      from: { path: "^src/", pathNot: "^src/web/ui/" }, to: { path: "^src/web/ui/" },
    },
  ],
  options: { tsPreCompilationDeps: true, tsConfig: { fileName: "tsconfig.json" }, doNotFollow: { path: "node_modules" }, enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "node", "types"] } },
};
