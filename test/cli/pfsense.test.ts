import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { leftovers } from "../fakes/firewall.ts";
import { textOf } from "../fakes/pfsense/config.ts";
import { foreignOf, stateOf } from "../fakes/pfsense/device.ts";
import { configureFilter } from "../fakes/pfsense/kernel.ts";
import { withPfSense } from "./pf-rig.ts";
import { inFolder, project, sixgate } from "./run.ts";

test("plans, applies, confirms, sees drift and takes it back, on the article's network", async () => {
  await withPfSense(async ({ fake, folder, call, edit }) => {
    const { device } = fake;
    const lan = JSON.stringify(device.config.interfaces["lan"]);
    const theirs = foreignOf(device);
    const planned = await call(["plan", "-o", "plan.json", "--detailed-exitcode"]);
    expect(planned.err).not.toMatch(/E\d{3} /);
    expect(planned.out).toMatch(/fw gateway \(pfsense\)[\s\S]*route ::\/0[\s\S]*Plan: \d+ to add/);
    expect(planned.err).toContain("interfaces are set up again");
    expect(planned.code).toBe(2);
    expect(readFileSync(join(folder, "plan.json"), "utf8")).not.toContain(device.key);

    const applied = await call(["apply", "plan.json", "--yes"]);
    expect(applied.err).toMatch(/✓ fw +gateway +\d+ changes, confirmed/);
    expect(applied.code).toBe(0);
    expect((await call(["plan", "--detailed-exitcode"])).code).toBe(0);
    expect(leftovers(device)).toEqual([]);
    // What is not ours: the LAN, which we came in by, and everybody's rules and objects.
    expect(JSON.stringify(device.config.interfaces["lan"])).toBe(lan);
    expect(foreignOf(device)).toBe(theirs);
    expect(device.kernel.tables.get("sgf_tcp_443")).toEqual(new Set(["2001:db8:1234:321d:22::80"]));
    expect(device.kernel.routes.get("2001:db8:1234:321d:3e80::/76")).toBe("2001:db8:1234:321d:3e80::2");
    expect(device.kernel.routes.get("::/0")).toBe("fe80::1");

    const rule = device.config.filter.rule.find((each) => textOf(each, "descr") === "sixgate: block outside never");
    if (rule === undefined) throw new Error("no such rule");
    rule["disabled"] = "";
    configureFilter(device.kernel, device.config);
    const drift = await call(["diff", "gateway"]);
    expect(drift.out).toContain("rule block outside never");
    expect(drift.code).toBe(2);
    expect((await call(["apply", "--yes"])).code).toBe(0);
    expect((await call(["diff"])).code).toBe(0);

    edit("www, ports: [80, 443, 443/udp, ping]", "www, ports: [80, 443, 8443, ping]");
    const before = stateOf(device);
    device.faults.set("not-loaded", Number.POSITIVE_INFINITY);
    const failed = await call(["apply", "--yes"]);
    expect(failed.err).toMatch(
      /stopped at fw gateway: it goes back[\s\S]*E512 The device says that it applied the change/,
    );
    expect(failed.code).toBe(1);
    device.faults.clear();
    expect(stateOf(device)).toBe(before);
    expect((await call(["apply", "--yes"])).code).toBe(0);
    expect(device.kernel.tables.has("sgf_tcp_8443")).toBe(true);
    expect(device.kernel.tables.has("sgf_udp_443")).toBe(false);
  });
}, 600_000);

test("one clear error each for a key that is missing, wrong or open to all, another certificate, and a device that is not there", async () => {
  await withPfSense(async ({ fake, folder, call, edit }) => {
    const before = stateOf(fake.device);
    const errors = async (
      words: readonly string[],
      env?: Readonly<Record<string, string | undefined>>,
    ): Promise<readonly string[]> => {
      const said = await call(["--json", ...words], env);
      expect(said.code).not.toBe(0);
      return (JSON.parse(said.out) as { errors: { code: string }[] }).errors.map(({ code }) => code);
    };
    expect(await errors(["plan"], { PFSENSE_KEY: undefined })).toEqual(["E550"]);
    expect(await errors(["plan"], { PFSENSE_KEY: "wrong" })).toEqual(["E552"]);
    fake.device.faults.set("no-package", Number.POSITIVE_INFINITY);
    expect(await errors(["plan"])).toEqual(["E560"]);
    fake.device.faults.clear();
    writeFileSync(join(folder, "key"), fake.device.key, { mode: 0o644 });
    edit("key: env:PFSENSE_KEY", `key: "file:${join(folder, "key")}"`);
    expect(await errors(["plan"])).toEqual(["E550"]);
    edit(/key: "file:.*"/, "key: env:PFSENSE_KEY");
    edit(/fingerprint: \S+/, `fingerprint: ${"AB".repeat(32)}`);
    expect(await errors(["plan"])).toEqual(["E551"]);
    edit(/url: \S+/, "url: https://127.0.0.1:1");
    expect(await errors(["plan"])).toEqual(["E503"]);
    expect(stateOf(fake.device)).toBe(before);
  });
}, 600_000);

test("without exec the guard asks for the flag, and with it the change is made", async () => {
  await withPfSense(async ({ fake, call, edit }) => {
    edit(/ {2}exec: .*\n/, "");
    const before = stateOf(fake.device);
    const refused = await call(["apply", "--yes"]);
    expect(refused.err).toMatch(/W452 [\s\S]*E605 The device can't undo by itself/);
    expect(refused.code).toBe(4);
    expect(stateOf(fake.device)).toBe(before);
    const applied = await call(["apply", "--yes", "--accept-lockout-risk"]);
    expect(applied.code).toBe(0);
    expect((await call(["plan", "--detailed-exitcode"])).code).toBe(0);
  });
}, 600_000);

test("render shows a Linux gateway's fleet as pfSense, and lays it into a configuration", async () => {
  const shown = await sixgate(["render", "pfsense", "-f", "examples/article.yaml"]);
  expect(shown.err).toContain('W450 "wan" is no name that FreeBSD gives');
  expect(shown.out).toMatch(/^# ── fw:\/conf\/config\.xml\n<\?xml version="1\.0"\?>\n<pfsense>/);
  expect(shown.code).toBe(0);
  const into = await sixgate([
    "render",
    "pfsense",
    "-f",
    "examples/article-pfsense.yaml",
    "--into",
    "test/fixtures/pfsense/pfsense-article-2vm.config.xml",
  ]);
  expect(into.out).toContain("<name>dg_p_tcp_443</name>");
  expect(into.out).toContain("<name>sgf_tcp_443</name>");
  expect(into.code).toBe(0);
  const wrong = await sixgate([
    "render",
    "pfsense",
    "-f",
    "examples/article-pfsense.yaml",
    "--into",
    "test/fixtures/opnsense/opnsense-default-config.xml",
  ]);
  expect(wrong.err).toContain("E570 ");
  expect((await sixgate(["render", "-f", "examples/article.yaml", "--into", "README.md"])).err).toContain("E802 ");
});

test("import prints a fleet file with its guesses marked, and writes none over another", async () => {
  await inFolder(async (folder) => {
    const config = join(project, "test/fixtures/pfsense/pfsense-article-2vm.config.xml");
    const said = await sixgate(["import", "pfsense", config, "-o", "new.yaml"], { cwd: folder });
    expect(said.err).toMatch(/new\.yaml written: 8 guesses to look at; the file is valid/);
    expect(said.code).toBe(0);
    expect((await sixgate(["validate", "-f", "new.yaml"], { cwd: folder })).code).toBe(0);
    expect((await sixgate(["import", "pfsense", config, "-o", "new.yaml"], { cwd: folder })).err).toContain("E804 ");
    expect((await sixgate(["import", "pfsense", "article.yaml"], { cwd: folder })).err).toContain("E570 ");
    expect((await sixgate(["import", "sophos", config], { cwd: folder })).err).toContain("E802 ");
    expect((await sixgate(["import", "pfsense", "none.xml"], { cwd: folder })).err).toContain("E807 ");
  });
});

test("doctor has a line for each thing of the device, with what to do, and ends with 1 where something is missing", async () => {
  await withPfSense(async ({ fake, call }) => {
    const before = stateOf(fake.device);
    const fine = await call(["doctor", "--json"]);
    const { findings } = JSON.parse(fine.out) as { findings: { name: string; state: string; found: string }[] };
    const ofDevice = findings.filter(({ name }) => name.startsWith("fw "));
    expect(ofDevice.map(({ name, state }) => `${name} ${state}`)).toEqual([
      "fw pfSense fine",
      "fw REST API package fine",
      "fw rights of the key fine",
      "fw clock fine",
      "fw table entries fine",
      "fw states fine",
      "fw gateway fine",
    ]);
    fake.device.denied.add("/firewall/rules");
    const missing = await call(["doctor"]);
    expect(missing.out).toMatch(
      /E610 fw rights of the key: give the key's user the privileges that docs\/gateway-pfsense\.md/,
    );
    expect(missing.code).toBe(1);
    fake.device.denied.clear();
    const wrong = await call(["doctor"], { PFSENSE_KEY: "wrong" });
    expect(wrong.out).toMatch(/E552 fw gateway: make a key/);
    expect(wrong.code).toBe(1);
    expect(stateOf(fake.device)).toBe(before);
  });
}, 600_000);
