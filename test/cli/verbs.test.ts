import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { contentsOf, inFolder, sixgate } from "./run.ts";

/** Verbs that need no device, each as people call it, with a word that its answer must have. */
const verbs: readonly { readonly words: readonly string[]; readonly says: string; readonly format: string }[] = [
  { words: ["addr", "-f", "article.yaml"], says: "2001:db8:1234:321d:3e81::/80", format: "sixgate.addr/1" },
  { words: ["validate", "-f", "article.yaml"], says: "article.yaml is valid: 3 hosts", format: "sixgate.validate/1" },
  { words: ["explain", "hosts.vm1.docker.profile"], says: "gateway-only", format: "sixgate.explain/1" },
  { words: ["explain"], says: "prefix", format: "sixgate.explain/1" },
  { words: ["explain", "E202"], says: "MAC missing on the uplink bridge", format: "sixgate.explain/1" },
  { words: ["render", "-f", "article.yaml", "gateway"], says: "chain forward {", format: "sixgate.render/1" },
  { words: ["render", "-f", "lab.yaml", "-o", "out"], says: "files written below out", format: "sixgate.render/1" },
  { words: ["init", "new.yaml"], says: "new.yaml", format: "sixgate.init/1" },
  {
    words: ["init", "other.yaml", "--from", "vps", "--prefix", "2001:db8:9::/64"],
    says: "other.yaml",
    format: "sixgate.init/1",
  },
  { words: ["lab", "graph", "-f", "lab.yaml"], says: "internet ── provider fe80::1", format: "sixgate.graph/1" },
  { words: ["lab", "graph", "-f", "lab.yaml", "--format", "mermaid"], says: "graph LR", format: "sixgate.graph/1" },
  { words: ["lab", "graph", "-f", "lab.yaml", "--format", "json"], says: '"wires"', format: "sixgate.graph/1" },
];

function hasEscapes(text: string): boolean {
  return text.includes("\u001b");
}

test.each(verbs)("sixgate $words ends with 0, without colours where no terminal is", async ({ words, says }) => {
  await inFolder(async (folder) => {
    const ran = await sixgate(words, { cwd: folder });
    expect(ran.err).not.toMatch(/: E[0-9]{3} /);
    expect(ran.code).toBe(0);
    expect(ran.out).toContain(says);
    expect(hasEscapes(ran.out + ran.err)).toBe(false);
  });
});

test.each(verbs)("sixgate --json $words prints one document and nothing else", async ({ words, format }) => {
  await inFolder(async (folder) => {
    const ran = await sixgate(["--json", ...words], { cwd: folder });
    expect(ran.code).toBe(0);
    expect(JSON.parse(ran.out)).toMatchObject({ format });
  });
});

test("sixgate takes --json and -C behind the verb too", async () => {
  await inFolder(async (folder) => {
    const ran = await sixgate(["addr", "--json", "-C", folder, "-f", "article.yaml"]);
    expect(ran.code).toBe(0);
    expect(JSON.parse(ran.out)).toMatchObject({ delegated: "2001:db8:1234:321d::/64" });
  });
});

test("sixgate finds the fleet file in a folder above", async () => {
  await inFolder(async (folder) => {
    await sixgate(["init"], { cwd: folder });
    await sixgate(["render", "-o", "out"], { cwd: folder });
    const ran = await sixgate(["validate"], { cwd: join(folder, "out/vm1/etc") });
    expect(ran.out).toContain("fleet.yaml is valid: 1 hosts");
    expect(ran.code).toBe(0);
  });
});

test("reading verbs write nothing, not even a ledger", async () => {
  await inFolder(async (folder) => {
    const before = contentsOf(folder);
    for (const words of [["addr"], ["validate"], ["render"], ["lab", "graph"]]) {
      expect((await sixgate([...words, "-f", "article.yaml"], { cwd: folder })).code).toBe(0);
    }
    expect(contentsOf(folder)).toEqual(before);
  });
});

test("render writes a folder per device, twice the same, with the modes that the files need", async () => {
  await inFolder(async (folder) => {
    await sixgate(["render", "-f", "lab.yaml", "-o", "one"], { cwd: folder });
    await sixgate(["render", "-f", "lab.yaml", "-o", "two"], { cwd: folder });
    const one = contentsOf(join(folder, "one"));
    expect(contentsOf(join(folder, "two"))).toEqual(one);
    for (const device of ["pve", "fw", "vm1", "vm2"]) expect(one[device]).toBe("folder");
    expect(one["vm1/etc/docker/daemon.json"]).toContain("2001:db8:1234:321d:21::/80");
    expect(one["pve/etc/network/interfaces"]).toContain("iface vmbr2");
    expect(statSync(join(folder, "one/fw/etc/sixgate/boot.nft")).mode & 0o777).toBe(0o644);
  });
});

test("init writes a file that validates, its schema, and every key of the policy", async () => {
  await inFolder(async (folder) => {
    for (const template of ["home", "vps"]) {
      const file = `${template}.yaml`;
      expect((await sixgate(["init", file, "--from", template], { cwd: folder })).code).toBe(0);
      expect(readFileSync(join(folder, file), "utf8")).toMatch(/between-hosts: closed[\s\S]*egress: open/);
      expect((await sixgate(["validate", "-f", file], { cwd: folder })).code).toBe(0);
      const opened = readFileSync(join(folder, file), "utf8").replaceAll(
        /^( *)# (allow:|  - \{ ports|controller:)/gm,
        "$1$2",
      );
      expect(opened.match(/^( {2}allow:| {4}- \{ ports|controller:)/gm)).toHaveLength(3);
      writeFileSync(join(folder, `open-${file}`), opened);
      expect((await sixgate(["validate", "-f", `open-${file}`], { cwd: folder })).code).toBe(0);
      expect((await sixgate(["render", "-f", file, "-o", template], { cwd: folder })).code).toBe(0);
    }
    expect(JSON.parse(readFileSync(join(folder, "fleet.schema.json"), "utf8"))).toMatchObject({
      $schema: "http://json-schema.org/draft-07/schema#",
    });
  });
});

test("sixgate --help and --version end with 0", async () => {
  const help = await sixgate(["--help"]);
  expect(help.code).toBe(0);
  for (const verb of [
    "init",
    "validate",
    "explain",
    "addr",
    "render",
    "plan",
    "diff",
    "apply",
    "doctor",
    "lab",
    "open",
    "close",
    "openings",
    "why",
    "status",
    "watch",
    "audit",
    "invite",
    "revoke",
    "token",
  ]) {
    expect(help.out).toMatch(new RegExp(`^  ${verb} `, "m"));
  }
  const version = await sixgate(["--version"]);
  expect(version.code).toBe(0);
  expect(version.out).toMatch(/^\d+\.\d+\.\d+\n$/);
});

test("doctor looks at this machine and prints one document", async () => {
  await inFolder(async (folder) => {
    const ran = await sixgate(["doctor", "--json"], { cwd: folder });
    expect([0, 1]).toContain(ran.code);
    expect(JSON.parse(ran.out)).toMatchObject({ format: "sixgate.doctor/1" });
    expect(existsSync(join(folder, "article.ledger.json"))).toBe(false);
  });
});

test("a name that could move the cursor is shown encoded", async () => {
  await inFolder(async (folder) => {
    const ran = await sixgate(["explain", "\u001b[31mred"], { cwd: folder });
    expect(ran.code).toBe(1);
    expect(hasEscapes(ran.err)).toBe(false);
    expect(ran.err).toContain("\\x1b[31mred");
  });
});
