import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { certificate } from "../fakes/certificate.ts";
import { leftovers, stateOf } from "../fakes/opnsense/device.ts";
import { fakeOpnSense } from "../fakes/opnsense/index.ts";
import { sshStandIn } from "../fakes/ssh.ts";
import { inFolder, project, sixgate } from "./run.ts";

const fixtures = join(project, "test/fixtures/opnsense");
const example = "examples/article-opnsense.yaml";

/** What `sixgate render opnsense --into` makes of a factory default: the way to a device whose interfaces no API sets. */
async function seeded(): Promise<string> {
  const text = readFileSync(join(fixtures, "opnsense-default-config.xml"), "utf8")
    .replace("<if>mismatch1</if>", "<if>vtnet0</if>")
    .replace("<if>mismatch0</if>", "<if>vtnet1</if>")
    .replace("  </interfaces>", "    <opt1>\n      <if>vtnet2</if>\n    </opt1>\n  </interfaces>");
  return inFolder(async (folder) => {
    writeFileSync(join(folder, "config.xml"), text);
    const said = await sixgate(["render", "opnsense", "-f", example, "--into", join(folder, "config.xml")]);
    expect(said.code).toBe(0);
    return said.out;
  });
}

test("a seeded OPNsense needs no change; an opening is planned, applied, confirmed and taken back, root's csh between", async () => {
  const certified = certificate({ name: "OPNsense" });
  const fake = await fakeOpnSense({ config: await seeded(), certified });
  const { device } = fake;
  try {
    await inFolder(async (folder) => {
      const bin = sshStandIn(folder, fake.system.url);
      const path = join(folder, "fleet.yaml");
      const text = readFileSync(join(project, example), "utf8")
        .replace("https://10.10.10.2", fake.url)
        .replace(/fingerprint: .*/, `fingerprint: ${certified.sha256}`);
      writeFileSync(path, text);
      const env = {
        OPNSENSE_KEY: device.key,
        OPNSENSE_SECRET: device.secret,
        PATH: `${bin}:${process.env["PATH"] ?? ""}`,
      };
      const call = (words: readonly string[]): ReturnType<typeof sixgate> => sixgate([...words], { cwd: folder, env });
      const outputs: string[] = [];
      const first = await call(["plan", "--detailed-exitcode"]);
      expect(first.err).not.toMatch(/E\d{3} /);
      expect(first.code).toBe(0);
      const before = stateOf(device);
      writeFileSync(path, text.replace("ports: [80, 443, 443/udp, ping]", "ports: [80, 443, 8443, ping]"));
      device.faults.set("rules-not-loaded", Number.POSITIVE_INFINITY);
      const failed = await call(["apply", "--yes"]);
      expect(failed.err).toMatch(/stopped at fw gateway: it goes back[\s\S]*E512 The device says that it applied/);
      device.faults.clear();
      expect(stateOf(device)).toBe(before);
      const applied = await call(["apply", "--yes"]);
      expect(applied.err).toMatch(/✓ fw +gateway +\d+ changes, confirmed/);
      expect(device.kernel.tables.has("sgf_tcp_8443")).toBe(true);
      expect(leftovers(device)).toEqual([]);
      outputs.push(first.out, failed.out, failed.err, applied.out, applied.err);
      expect(outputs.join("\n")).not.toContain(device.secret);
    });
  } finally {
    await fake.stop();
  }
}, 600_000);

test("import opnsense prints a fleet file with its guesses marked", async () => {
  const said = await sixgate(["import", "opnsense", join(fixtures, "opnsense-article-2vm.config.xml")]);
  expect(said.err).toMatch(/\d+ guesses to look at; the file is valid/);
  expect(said.code).toBe(0);
  const wrong = await sixgate(["import", "opnsense", "test/fixtures/pfsense/pfsense-default-config.xml"]);
  expect(wrong.err).toContain("E570 ");
});
