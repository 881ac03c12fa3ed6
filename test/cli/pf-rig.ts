import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { type Certified, certificate } from "../fakes/certificate.ts";
import { type FakeOpnSense, fakeOpnSense } from "../fakes/opnsense/index.ts";
import { type FakePfSense, fakePfSense } from "../fakes/pfsense/index.ts";
import { sshStandIn } from "../fakes/ssh.ts";
import { inFolder, project, type Said, sixgate } from "./run.ts";

/** The article's example against a fake firewall over TLS, and a stand-in for ssh: everything between is the product's. */
export type Rig<Fake> = {
  readonly fake: Fake;
  readonly folder: string;
  readonly call: (words: readonly string[], env?: Readonly<Record<string, string | undefined>>) => Promise<Said>;
  readonly edit: (from: string | RegExp, to: string) => void;
};

type Kind<Fake> = {
  readonly fake: Fake;
  readonly certified: Certified;
  readonly example: string;
  readonly secrets: Readonly<Record<string, string>>;
};

type Running = { readonly url: string; readonly system: { readonly url: string }; stop(): Promise<void> };

async function withRig<Fake extends Running>(
  { fake, certified, example, secrets }: Kind<Fake>,
  work: (rig: Rig<Fake>) => Promise<void>,
): Promise<void> {
  const outputs: string[] = [];
  try {
    await inFolder(async (folder) => {
      const bin = sshStandIn(folder, fake.system.url);
      const path = join(folder, "fleet.yaml");
      const text = readFileSync(join(project, example), "utf8")
        .replace("https://10.10.10.2", fake.url)
        .replace(/fingerprint: .*/, `fingerprint: ${certified.sha256}`);
      writeFileSync(path, text);
      const env = { ...secrets, PATH: `${bin}:${process.env["PATH"] ?? ""}` };
      await work({
        fake,
        folder,
        async call(words, more = {}) {
          const said = await sixgate([...words], { cwd: folder, env: { ...env, ...more } });
          outputs.push(said.out, said.err);
          return said;
        },
        edit: (from, to) => writeFileSync(path, readFileSync(path, "utf8").replace(from, to)),
      });
      for (const secret of Object.values(secrets)) expect(outputs.join("\n")).not.toContain(secret);
    });
  } finally {
    await fake.stop();
  }
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
  await withRig({ fake, certified, example: "examples/article-pfsense.yaml", secrets }, work);
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
  await withRig({ fake, certified, example: opnsenseExample, secrets }, work);
}
