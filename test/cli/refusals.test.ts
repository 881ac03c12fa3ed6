import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { missingFor } from "../conformance/needs.ts";
import { article, contentsOf, inFolder, type RunOptions, sixgate } from "./run.ts";

type Refusal = {
  readonly name: string;
  /** Files to be there: fleet.yaml is the article's, changed by one replacement or in full. */
  readonly change?: readonly [from: string, to: string];
  readonly text?: string;
  readonly words: readonly string[];
  readonly code: string;
  readonly exit: number;
  readonly env?: Readonly<Record<string, string>>;
};

const nowhere = "/nonexistent";
const local = "kind: nftables\n  on: pve1";

/** Input that can't be taken: one clear error with its code and a fix, and nothing changed. */
const refusals: readonly Refusal[] = [
  {
    name: "wrong prefix",
    change: ["prefix: 2001:db8:1234:321d::/64", "prefix: 2001:db8:1234:321d:10:1/76"],
    words: ["validate"],
    code: "E114",
    exit: 1,
  },
  {
    name: "prefix with host bits",
    change: ["prefix: 2001:db8:1234:321d::/64", "prefix: 2001:db8:1234:321d::1/64"],
    words: ["addr"],
    code: "E115",
    exit: 1,
  },
  {
    name: "a container that the fleet file does not number",
    words: ["probe", "vm1/none:80", "--from", "internet"],
    code: "E802",
    exit: 1,
  },
  { name: "overlapping slots", change: ["slot: 3 ", "slot: 2 "], words: ["addr"], code: "E217", exit: 1 },
  {
    name: "gateway outside its prefix",
    change: ["gateway: 203.0.113.129 }", "gateway: 198.51.100.1 }"],
    words: ["render", "-o", "out"],
    code: "E201",
    exit: 1,
  },
  { name: "MAC missing", change: ['    mac: "00:50:56:00:ab:cd"\n', ""], words: ["validate"], code: "E202", exit: 1 },
  {
    name: "broken YAML",
    change: ["provider: {", "provider: { ["],
    words: ["plan", "-o", "plan.json"],
    code: "E101",
    exit: 1,
  },
  {
    name: "unknown key",
    change: ["kind: nftables", "knd: nftables"],
    words: ["apply", "--yes"],
    code: "E110",
    exit: 1,
  },
  { name: "empty file", text: "", words: ["validate"], code: "E103", exit: 1 },
  { name: "no such fleet file", words: ["addr", "-f", "none.yaml"], code: "E801", exit: 1 },
  { name: "a folder as fleet file", words: ["addr", "-f", "."], code: "E807", exit: 1 },
  { name: "init over a file", words: ["init"], code: "E804", exit: 1 },
  {
    name: "init with an unknown template",
    words: ["init", "new.yaml", "--from", "constructor"],
    code: "E802",
    exit: 1,
  },
  { name: "init with a wrong prefix", words: ["init", "new.yaml", "--prefix", "10.0.0.0/8"], code: "E114", exit: 1 },
  { name: "render into a file", words: ["render", "-o", "fleet.yaml"], code: "E807", exit: 1 },
  { name: "render of an unknown layer", words: ["render", "firewall", "-o", "out"], code: "E802", exit: 1 },
  { name: "diff of an unknown layer", words: ["diff", "firewall"], code: "E802", exit: 1 },
  { name: "unknown verb", words: ["aply"], code: "E802", exit: 64 },
  { name: "no verb", words: [], code: "E802", exit: 64 },
  { name: "unknown option", words: ["addr", "--forse"], code: "E802", exit: 64 },
  { name: "too many words", words: ["addr", "vm1"], code: "E802", exit: 64 },
  { name: "no folder to work in", words: ["-C", nowhere, "addr"], code: "E802", exit: 1 },
  { name: "unknown field", words: ["explain", "hots"], code: "E802", exit: 1 },
  { name: "unknown code", words: ["explain", "E999"], code: "E802", exit: 1 },
  { name: "time to confirm in", words: ["apply", "--confirm-within", "soon"], code: "E802", exit: 1 },
  { name: "no device within reach", words: ["apply", "--yes"], code: "E805", exit: 1 },
  { name: "unknown device", words: ["plan", "--only", "vm9"], code: "E802", exit: 1 },
  { name: "no stored plan", words: ["apply", "plan.json", "--yes"], code: "E801", exit: 1 },
  { name: "a stored plan that is none", words: ["apply", "fleet.yaml", "--yes"], code: "E661", exit: 1 },
  { name: "no lab to plan on", words: ["plan", "--lab", "never-started"], code: "E707", exit: 1 },
  { name: "no lab to test", words: ["lab", "test", "-n", "never-started"], code: "E707", exit: 1 },
  {
    name: "missing program",
    change: [local, `${local}\n  reach: local`],
    words: ["plan", "--only", "fw"],
    code: "E502",
    exit: 1,
    env: { PATH: nowhere },
  },
  {
    name: "missing ssh",
    change: [local, `${local}\n  reach: ssh:root@fw.example`],
    words: ["plan", "--only", "fw"],
    code: "E502",
    exit: 1,
    env: { PATH: nowhere },
  },
];

function prepare(folder: string, { text, change }: Refusal): void {
  if (change !== undefined && !article().includes(change[0])) throw new Error(`The article has no ${change[0]}`);
  writeFileSync(
    join(folder, "fleet.yaml"),
    text ?? (change === undefined ? article() : article().replace(change[0], change[1])),
  );
}

test.each(refusals)("sixgate refuses $name with $code, a fix and exit $exit, and changes nothing", async (refusal) => {
  await inFolder(async (folder) => {
    prepare(folder, refusal);
    const before = contentsOf(folder);
    const options: RunOptions = { cwd: folder, ...(refusal.env === undefined ? {} : { env: refusal.env }) };
    const ran = await sixgate(refusal.words, options);
    expect(ran.err).toContain(`: ${refusal.code} `);
    expect(ran.err).toMatch(/\n {2}fix: \S/);
    expect(ran.err).not.toContain("E803");
    expect(ran.err).not.toMatch(/^ +at .*:\d+:\d+\)?$/m);
    expect(ran.out).toBe("");
    expect(ran.code).toBe(refusal.exit);
    expect(contentsOf(folder)).toEqual(before);
  });
});

test.each(refusals.filter(({ code }) => ["E114", "E801", "E802", "E807", "E805"].includes(code)))(
  "sixgate --json refuses $name with one document",
  async (refusal) => {
    await inFolder(async (folder) => {
      prepare(folder, refusal);
      const ran = await sixgate(["--json", ...refusal.words], { cwd: folder });
      const said = JSON.parse(ran.out) as { format: string; errors: { code: string; fix: string }[] };
      expect(said.format).toBe("sixgate.error/1");
      expect(said.errors.map(({ code }) => code)).toContain(refusal.code);
      expect(said.errors.every(({ fix }) => fix.length > 0)).toBe(true);
      expect(ran.code).toBe(refusal.exit);
    });
  },
);

test("every error of a file comes at once", async () => {
  await inFolder(async (folder) => {
    const text = article()
      .replace("slot: 3 ", "slot: 2 ")
      .replace("delivery: routed", "delivery: by-air")
      .replace('    mac: "00:50:56:00:ab:cd"\n', "");
    writeFileSync(join(folder, "fleet.yaml"), text);
    const ran = await sixgate(["validate"], { cwd: folder });
    for (const code of ["E217", "E125", "E202"]) expect(ran.err).toContain(`: ${code} `);
    expect(ran.err).toMatch(/^fleet\.yaml:\d+:\d+ provider\.delivery: E125 /m);
  });
});

test("sixgate refuses a broken ledger with E310 and its path", async () => {
  await inFolder(async (folder) => {
    writeFileSync(join(folder, "article.ledger.json"), "{");
    const ran = await sixgate(["addr", "-f", "article.yaml"], { cwd: folder });
    expect(ran.err).toContain(`${join(folder, "article.ledger.json")}: E310 `);
    expect(ran.code).toBe(1);
  });
});

test("sixgate without a fleet file says how to get one", async () => {
  await inFolder(async (folder) => {
    const ran = await sixgate(["addr"], { cwd: folder });
    expect(ran.err).toContain(": E801 ");
    expect(ran.err).toContain("sixgate init");
    expect(ran.code).toBe(1);
  });
});

/** Nobody's user, who may read what root may (the project can lie in root's home) and write nothing. */
const nobody = [
  "setpriv",
  "--reuid",
  "65534",
  "--regid",
  "65534",
  "--clear-groups",
  "--bounding-set",
  "-all,+dac_read_search",
  "--inh-caps",
  "-all,+dac_read_search",
  "--ambient-caps",
  "-all,+dac_read_search",
] as const;

test("lab up and files of others are refused without root, and nothing is changed", async (context) => {
  const reason = await missingFor(["root", "setpriv"]);
  if (reason !== undefined) return context.skip(reason);
  await inFolder(async (folder) => {
    const before = contentsOf(folder);
    const up = await sixgate(["lab", "up", "--detach", "--name", "never-started"], { cwd: folder, under: nobody });
    expect(up.err).toContain(": E003 ");
    expect(up.err).toContain("--rootless");
    expect(up.code).toBe(1);
    const written = await sixgate(["render", "-f", "article.yaml", "-o", "out"], { cwd: folder, under: nobody });
    expect(written.err).toContain(": E807 No permission");
    expect(written.code).toBe(1);
    expect(contentsOf(folder)).toEqual(before);
  });
});

test("a container that the fleet file does not number is named, and how to ask for it", async () => {
  await inFolder(async (folder) => {
    writeFileSync(join(folder, "fleet.yaml"), article());
    const ran = await sixgate(["probe", "vm1/none:80", "--from", "internet"], { cwd: folder });
    expect(ran.err).toMatch(/^TARGET: E802 The fleet file has no container vm1\/none\n {2}fix: .*\[address\]:443/m);
  });
});
