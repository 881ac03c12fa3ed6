import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { diff } from "../../../src/change/diff.ts";
import { stanzaItems, withBridges } from "../../../src/drivers/ifupdown/convert.ts";
import { ifupdownBridges } from "../../../src/drivers/ifupdown/driver.ts";
import { readPieces, writePieces } from "../../../src/drivers/linux/stanzas.ts";
import { readText } from "../../../src/runtime/files.ts";
import { hypervisor } from "./hypervisors.ts";

const folder = join(import.meta.dirname, "hypervisors");
const stanzas = ifupdownBridges.normalize(hypervisor).filter(({ key }) => key.startsWith("stanza "));

for (const name of await readdir(folder)) {
  const before = await readText(join(folder, name, "before"));

  test(`withBridges ${name}`, async () => {
    await expect(withBridges(before, hypervisor)).toMatchFileSnapshot(join(folder, name, "after"));
  });

  test(`withBridges ${name} twice changes nothing more, and the stanzas are as planned`, () => {
    const after = withBridges(before, hypervisor);
    expect(withBridges(after, hypervisor)).toBe(after);
    expect(diff(stanzaItems(after, hypervisor), stanzas)).toEqual([]);
  });

  test(`readPieces ${name} keeps every byte`, () => {
    expect(writePieces(readPieces(before ?? ""))).toBe(before ?? "");
  });
}

test("readPieces keeps every byte of whatever text", () => {
  for (const text of [
    "",
    "\n",
    "iface",
    "iface x",
    "auto\n\n#\n",
    "iface x inet static\n\taddress \\\n 192.0.2.1\\",
    "iface a\r\n b\r\n",
    "#a\\\niface b inet manual\n",
  ]) {
    expect(writePieces(readPieces(text))).toBe(text);
  }
});

test("stanzaItems shows what the fleet would change", () => {
  const text = "auto vmbr2\niface vmbr2 inet manual\n\tbridge-ports none\n\tbridge-stp on\n\tmtu 1400\n";
  expect(stanzaItems(text, hypervisor)).toEqual([
    {
      key: "stanza vmbr2",
      lane: "structure",
      value: ["auto vmbr2", "iface vmbr2 inet manual", "bridge-ports none", "bridge-stp on"],
    },
  ]);
});

test("audit refuses what a file with bridges can't say", () => {
  const [uplink, management] = hypervisor.bridges;
  if (uplink === undefined || management === undefined) throw new Error("No bridges");
  expect(ifupdownBridges.audit(hypervisor)).toEqual([]);
  const said = (bridges: typeof hypervisor.bridges): readonly string[] =>
    ifupdownBridges.audit({ ...hypervisor, bridges }).map(({ text }) => text);
  expect(said([uplink, { ...uplink, name: "vmbr5" }])).toEqual([
    '"enp5s0" is there twice',
    "Default routes over vmbr0 and vmbr5",
  ]);
  expect(said([{ ...management, name: "vmbr0\npost-up reboot" }])).toHaveLength(1);
  expect(said([{ name: "vmbr0", gateway4: uplink.gateway4 ?? ("" as never), silent: true, comment: "" }])).toEqual([
    '"vmbr0" has a gateway but no address',
  ]);
});
