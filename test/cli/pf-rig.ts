import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { type Certified, certificate } from "../fakes/certificate.ts";
import { type FakeOpnSense, fakeOpnSense } from "../fakes/opnsense/index.ts";
import { type FakePfSense, fakePfSense } from "../fakes/pfsense/index.ts";
import { type Rig, withRig } from "./rig.ts";
import { inFolder, project, sixgate } from "./run.ts";

/** An example whose firewall is the fake. */
function fleetFor(example: string, { url }: { readonly url: string }, { sha256 }: Certified): string {
  return readFileSync(join(project, example), "utf8")
    .replace("https://10.10.10.2", url)
    .replace(/fingerprint: .*/, `fingerprint: ${sha256}`);
}

/** A pfSense as it comes from the factory, its NICs assigned. */
export async function withPfSense(work: (rig: Rig<FakePfSense>) => Promise<void>): Promise<void> {
  const config = readFileSync(join(project, "test/fixtures/pfsense/pfsense-default-config.xml"), "utf8")
    .replace("<if>em0</if>", "<if>vtnet0</if>")
    .replace("<if>em1</if>", "<if>vtnet1</if>");
  const certified = certificate({ name: "pfSense" });
  const ports = new Map([0, 1, 2].map((i) => [`vtnet${i}`, `bc:24:11:00:00:0${i}`]));
  const fake = await fakePfSense({ config, certified, ports });
  const secrets = { PFSENSE_KEY: fake.device.key };
  await withRig({ fake, fleet: fleetFor("examples/article-pfsense.yaml", fake, certified), secrets }, work);
}

const opnsenseExample = "examples/article-opnsense.yaml";

/** What `sixgate render opnsense --into` makes of a factory default: the way to a device whose interfaces no API sets. */
async function seeded(): Promise<string> {
  const text = readFileSync(join(project, "test/fixtures/opnsense/opnsense-default-config.xml"), "utf8")
    .replace("<if>mismatch1</if>", "<if>vtnet0</if>")
    .replace("<if>mismatch0</if>", "<if>vtnet1</if>")
    .replace("  </interfaces>", "    <opt1>\n      <if>vtnet2</if>\n    </opt1>\n  </interfaces>");
  return inFolder(async (folder) => {
    writeFileSync(join(folder, "config.xml"), text);
    const said = await sixgate(["render", "opnsense", "-f", opnsenseExample, "--into", join(folder, "config.xml")]);
    expect(said.code).toBe(0);
    return said.out;
  });
}

/** An OPNsense that was seeded with what the example renders. */
export async function withOpnSense(work: (rig: Rig<FakeOpnSense>) => Promise<void>): Promise<void> {
  const certified = certificate({ name: "OPNsense" });
  const fake = await fakeOpnSense({ config: await seeded(), certified });
  const secrets = { OPNSENSE_KEY: fake.device.key, OPNSENSE_SECRET: fake.device.secret };
  await withRig({ fake, fleet: fleetFor(opnsenseExample, fake, certified), secrets }, work);
}
