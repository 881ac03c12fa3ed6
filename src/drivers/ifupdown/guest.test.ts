import { join } from "node:path";
import { expect, test } from "vitest";
import { walkGuest } from "../../../test/golden/guest-walk.ts";
import { guests } from "../../../test/golden/guests.ts";
import { type Machine, noMachine, startMachine } from "../../../test/machine.ts";
import { cacheFolder } from "../../lab/cache.ts";
import { ifupdown2Tree, startIfupdown2 } from "../../lab/ifupdown2.ts";
import { unpackPackages } from "../../runtime/unpack.ts";
import { ifupdownGuest } from "./driver.ts";

const cases = guests("ifupdown");
const host = cases.get("host");
if (host === undefined) throw new Error("No case host");
const reason = (await noMachine(["apt-get", "dpkg-deb", "python3"])) ?? (await noPackages());

async function noPackages(): Promise<string | undefined> {
  try {
    for (const name of ["ifupdown", "ifupdown2"]) await tree(name);
    return undefined;
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    console.log(`skipped: ${text}`);
    return text;
  }
}

function tree(name: string): Promise<string> {
  const say = (line: string): void => console.log(line);
  return name === "ifupdown2" ? ifupdown2Tree(say) : unpackPackages([name], join(cacheFolder(), "packages"), say);
}

async function machine(name: string, desired = host): Promise<Machine> {
  const at = await startMachine("vm", desired?.links ?? []);
  try {
    await startIfupdown2(at.shell, await tree(name));
    const ran = await at.sh(
      "mkdir -p /etc/network/interfaces.d; printf 'auto lo\\niface lo inet loopback\\n\\nsource /etc/network/interfaces.d/*\\n' >/etc/network/interfaces",
    );
    expect(ran.code).toBe(0);
    return at;
  } catch (cause) {
    await at.stop();
    throw cause;
  }
}

for (const name of ["ifupdown", "ifupdown2"]) {
  walkGuest(ifupdownGuest, name, host, reason, () => machine(name));
}

for (const [name, desired] of cases) {
  test.skipIf(reason !== undefined)(
    `ifupdown and ifupdown2 read the case ${name}`,
    async () => {
      for (const tool of ["ifupdown", "ifupdown2"]) {
        const at = await machine(tool, desired);
        try {
          for (const { path, text } of ifupdownGuest.render(desired)) await at.shell.write(path, text);
          const ran = await at.sh(
            tool === "ifupdown"
              ? "ifquery --list; ifup --no-act -a -v"
              : "export PYTHONWARNINGS=ignore; ifquery -a; ifup -a",
          );
          expect({
            tool,
            code: ran.code,
            complaints: ran.stderr.match(/^(?!run-parts).*(?:error|warning|unknown|misplaced|invalid).*$/gim) ?? [],
          }).toEqual({ tool, code: 0, complaints: [] });
          for (const link of desired.links) expect(ran.stdout).toContain(link.name);
        } finally {
          await at.stop();
        }
      }
    },
    60_000,
  );
}

test.skipIf(reason !== undefined)("ifupdownGuest driver says so when the main file does not read ours", async () => {
  const at = await machine("ifupdown");
  try {
    await at.shell.write("/etc/network/interfaces", "auto lo\niface lo inet loopback\n");
    await expect(ifupdownGuest.at(at.shell, host).observe()).rejects.toThrow(/E519/);
  } finally {
    await at.stop();
  }
});
