import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { sshStandIn } from "../fakes/ssh.ts";
import { inFolder, type Running, type Said, startSixgate } from "./run.ts";

/** A fleet file against a fake device over TLS, and a stand-in for ssh: everything between is the product's. */
export type Rig<Fake> = {
  readonly fake: Fake;
  readonly folder: string;
  readonly call: (words: readonly string[], env?: Readonly<Record<string, string | undefined>>) => Promise<Said>;
  /** The same, to be killed on its way. */
  readonly start: (words: readonly string[]) => Running;
  readonly edit: (from: string | RegExp, to: string) => void;
};

type Kind<Fake> = {
  readonly fake: Fake;
  /** The fleet file's text. */
  readonly fleet: string;
  /** In the environment, and never in what is said. */
  readonly secrets: Readonly<Record<string, string>>;
};

type Stoppable = { readonly system: { readonly url: string }; stop(): Promise<void> };

export async function withRig<Fake extends Stoppable>(
  { fake, fleet, secrets }: Kind<Fake>,
  work: (rig: Rig<Fake>) => Promise<void>,
): Promise<void> {
  const outputs: string[] = [];
  try {
    await inFolder(async (folder) => {
      const bin = sshStandIn(folder, fake.system.url);
      const path = join(folder, "fleet.yaml");
      writeFileSync(path, fleet);
      const env = { ...secrets, PATH: `${bin}:${process.env["PATH"] ?? ""}` };
      const start = (words: readonly string[], more: Readonly<Record<string, string | undefined>> = {}): Running =>
        startSixgate([...words], { cwd: folder, env: { ...env, ...more } });
      await work({
        fake,
        folder,
        start,
        async call(words, more) {
          const said = await start(words, more).said;
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
