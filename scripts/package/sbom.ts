// The software bill of materials: every package that ships, with version, hash and licence, from the two lock files.
// Not `npm sbom`: Debian 12's npm has no such command, it does not know of the pinned Node in runtime/, and what it
// writes differs from run to run. A test holds both against each other where npm has it.
import { createHash } from "node:crypto";
import { type Locked, packageName, readLock, runsOn, shipped } from "./lock.ts";
import { readManifest } from "./release.ts";

type Hash = { readonly alg: "SHA-512"; readonly content: string };
type Component = {
  readonly type: "application" | "library" | "platform";
  readonly "bom-ref": string;
  readonly name: string;
  readonly version: string;
  readonly scope?: "required" | "optional";
  readonly licenses?: readonly object[];
  readonly hashes?: readonly Hash[];
  readonly purl: string;
};

/** CycloneDX 1.5 (ECMA-424), JSON. */
export type Bom = {
  readonly components: readonly Component[];
  readonly serialNumber: string;
} & Readonly<Record<string, unknown>>;

/**
 * `cpu` in npm's words: what a package for that processor holds, the pinned Node with it. Without: what npm may install
 * anywhere. `date` in seconds. The same input gives the same bytes.
 */
export function billOfMaterials(date: number, cpu?: string): Bom {
  const { name, version, description } = readManifest();
  const fits = ([, entry]: [string, Locked]): boolean => cpu === undefined || runsOn(entry, "linux", cpu);
  const libraries = [...shipped(readLock("package-lock.json"))].filter(fits);
  const platforms = cpu === undefined ? [] : [...shipped(readLock("runtime/package-lock.json"))].filter(fits);
  const components = [
    ...libraries.map(([path, entry]) => component("library", path, entry)),
    ...platforms.map(([path, entry]) => component("platform", path, entry)),
  ].sort((a, b) => (a["bom-ref"] < b["bom-ref"] ? -1 : 1));
  const self = { type: "application", "bom-ref": `${name}@${version}`, name, version, description } as const;
  const parts = {
    metadata: {
      timestamp: new Date(date * 1000).toISOString(),
      lifecycles: [{ phase: "build" }],
      component: { ...self, licenses: [{ license: { id: "MIT" } }], purl: purl(name, version) },
    },
    components,
    dependencies: dependencies(self["bom-ref"], [...libraries, ...platforms]),
  };
  return {
    $schema: "http://cyclonedx.org/schema/bom-1.5.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.5",
    serialNumber: serial(JSON.stringify(parts)),
    version: 1,
    ...parts,
  };
}

function component(type: Component["type"], path: string, entry: Locked): Component {
  const name = packageName(path);
  return {
    type,
    "bom-ref": reference(path, entry),
    name,
    version: entry.version,
    scope: entry["optional"] === true ? "optional" : "required",
    ...(entry.license === undefined ? {} : { licenses: [{ license: { id: entry.license } }] }),
    ...(entry.integrity === undefined ? {} : { hashes: [hash(entry.integrity)] }),
    purl: purl(name, entry.version),
  };
}

/** One package may stand at several places in several versions, and rarely in the same. */
function reference(path: string, entry: Locked): string {
  return `${packageName(path)}@${entry.version}`;
}

/** Package URL, purl-spec's type npm: the scope's @ is written %40. */
function purl(name: string, version: string): string {
  return `pkg:npm/${name.replace(/^@/, "%40")}@${version}`;
}

function hash(integrity: string): Hash {
  const [algorithm, base64 = ""] = integrity.split("-");
  if (algorithm !== "sha512") throw new Error(`A lock file has a hash that is no SHA-512: ${integrity}`);
  return { alg: "SHA-512", content: Buffer.from(base64, "base64").toString("hex") };
}

type Edges = readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];

function dependencies(self: string, entries: readonly (readonly [string, Locked])[]): Edges {
  const at = new Map(entries);
  const { dependencies: direct = {} } = readManifest() as { dependencies?: Record<string, string> };
  const found = (from: string, names: readonly string[]): readonly string[] =>
    names.flatMap((name) => {
      for (let folder = from; ; folder = folder.replace(/(?:^|\/)node_modules\/(?:@[^/]+\/)?[^/]+$/, "")) {
        const path = `${folder === "" ? "" : `${folder}/`}node_modules/${name}`;
        const entry = at.get(path);
        if (entry !== undefined) return [reference(path, entry)];
        if (folder === "") return [];
      }
    });
  const edges = entries.map(([path, entry]) => ({
    ref: reference(path, entry),
    dependsOn: [
      ...new Set(
        found(path, Object.keys({ ...namesOf(entry, "dependencies"), ...namesOf(entry, "optionalDependencies") })),
      ),
    ].sort(),
  }));
  const platforms = entries.filter(([path]) => packageName(path).startsWith("node-linux-"));
  const own = [...found("", Object.keys(direct)), ...platforms.map(([path, entry]) => reference(path, entry))];
  return [{ ref: self, dependsOn: own.sort() }, ...edges].sort((a, b) => (a.ref < b.ref ? -1 : 1));
}

function namesOf(entry: Locked, key: string): Readonly<Record<string, string>> {
  return (entry[key] ?? {}) as Readonly<Record<string, string>>;
}

/** A UUID of the content (RFC 9562 §5.8, version 8): a random one would make each build another. */
function serial(content: string): string {
  const hex = createHash("sha256").update(content).digest("hex");
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 3) | 8).toString(16);
  return `urn:uuid:${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
