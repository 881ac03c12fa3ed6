import { cpSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { contentsOf, inFolder, project, sixgate } from "./run.ts";

const inForce = "2001:db8:1200:ab00::/56";
const changed = "3fff:0:77:ff00::/56";

/** The example in a folder of its own; with `file` it names that file in the folder, else none. */
function inHome<T>(file: string | undefined, work: (folder: string) => Promise<T>): Promise<T> {
  return inFolder((folder) => {
    const path = join(folder, "fleet.yaml");
    cpSync(join(project, "examples/home-delegated.yaml"), path);
    const named = file === undefined ? "" : `, file: ${join(folder, file)}`;
    writeFileSync(path, contentsOf(folder)["fleet.yaml"]?.replace(", file: /run/sixgate/prefix", named) ?? "");
    return work(folder);
  });
}

test("addr and validate work while no prefix is in force, and show no address", async () => {
  await inHome(undefined, async (cwd) => {
    const addr = await sixgate(["addr"], { cwd });
    expect(addr.code).toBe(0);
    expect(addr.out).toContain("+::2:0:0:0:1/80");
    expect(addr.out).not.toMatch(/(^|\s)[0-9a-f]*:[0-9a-f:]+/);
    const json = await sixgate(["addr", "--json"], { cwd });
    expect(JSON.parse(json.out)).toMatchObject({
      inForce: false,
      delegated: "/56",
      hosts: [{ block: "+0:0:0:2::/64" }],
    });
    const validate = await sixgate(["validate"], { cwd });
    expect(validate.code).toBe(0);
    expect(validate.out).toContain("none is in force");
  });
});

test.each([["render"], ["plan"], ["diff"], ["apply", "--yes"], ["lab", "graph", "-f", "fleet.yaml"]])(
  "sixgate %s refuses while no prefix is in force, and writes nothing",
  async (...words) => {
    for (const file of [undefined, "gone"]) {
      await inHome(file, async (cwd) => {
        const before = contentsOf(cwd);
        const ran = await sixgate(words, { cwd });
        expect(ran.code).toBe(1);
        expect(ran.err).toContain("E809");
        expect(ran.err).toContain("--prefix");
        expect(contentsOf(cwd)).toEqual(before);
      });
    }
  },
);

test("render takes the prefix in force from --prefix and from the file, and reads the file anew", async () => {
  await inHome("prefix", async (cwd) => {
    const given = await sixgate(["render", "--prefix", inForce], { cwd });
    expect(given.code).toBe(0);
    expect(given.out).toContain("2001:db8:1200:ab02::2/80");
    writeFileSync(join(cwd, "prefix"), `${inForce}\n`);
    expect((await sixgate(["render"], { cwd })).out).toBe(given.out);
    writeFileSync(join(cwd, "prefix"), `${changed}\n`);
    const after = await sixgate(["render"], { cwd });
    expect(after.out).toContain("3fff:0:77:ff02::2/80");
    expect(after.out).not.toContain("2001:db8:1200:ab");
  });
});

test("sixgate says it when --prefix overrules the file, and does not need the file then", async () => {
  await inHome("prefix", async (cwd) => {
    writeFileSync(join(cwd, "prefix"), changed);
    const ran = await sixgate(["addr", "--prefix", inForce], { cwd });
    expect(ran.code).toBe(0);
    expect(ran.err).toContain("W801");
    expect(ran.out).toContain("2001:db8:1200:ab02::1/80");
    writeFileSync(join(cwd, "prefix"), "\u001b[2Jbroken");
    const broken = await sixgate(["addr", "--prefix", inForce], { cwd });
    expect(broken.code).toBe(0);
    expect(broken.err.includes("\u001b")).toBe(false);
    rmSync(join(cwd, "prefix"));
    expect((await sixgate(["addr", "--prefix", inForce], { cwd })).err).toBe("");
  });
});

test.each([
  ["", "E114"],
  ["2001:db8:1200:ab", "E114"],
  [`${inForce}\n${changed}\n`, "E114"],
  ["2001:db8:1200:ab01::/56", "E115"],
  ["2001:db8:1200:ab00::/64", "E236"],
  ["fe80::/56", "E222"],
])("a prefix file with %j is refused by every verb, not taken for none", async (text, code) => {
  await inHome("prefix", async (cwd) => {
    writeFileSync(join(cwd, "prefix"), text);
    for (const verb of ["validate", "addr", "render"]) {
      const ran = await sixgate([verb], { cwd });
      expect(ran.code).toBe(1);
      expect(ran.err).toContain(code);
    }
  });
});

test("a fleet with a fixed prefix takes --prefix only where it is the same", async () => {
  await inFolder(async (cwd) => {
    const same = await sixgate(["validate", "-f", "article.yaml", "--prefix", "2001:DB8:1234:321d::/64"], { cwd });
    expect(same.code).toBe(0);
    const other = await sixgate(["validate", "-f", "article.yaml", "--prefix", "2001:db8:1234:321e::/64"], { cwd });
    expect(other.code).toBe(1);
    expect(other.err).toContain("--prefix: E237");
  });
});

test("lab graph and explain know the long form", async () => {
  await inHome(undefined, async (cwd) => {
    const lab = contentsOf(cwd)["lab.yaml"]?.replace(
      /^prefix: .*$/m,
      "prefix: { delegated: /56 }\nplan: { host: /76 }",
    );
    writeFileSync(join(cwd, "lab.yaml"), lab ?? "");
    const graph = await sixgate(["lab", "graph", "-f", "lab.yaml", "--prefix", inForce], { cwd });
    expect(graph.out).toContain("vm1  2001:db8:1200:ab00:");
    const explained = await sixgate(["explain", "prefix.delegated"], { cwd });
    expect(explained.out).toContain("/56");
    expect((await sixgate(["explain", "prefix"], { cwd })).out).toMatch(
      /text or map, required[\s\S]*delegated +required/,
    );
  });
});
