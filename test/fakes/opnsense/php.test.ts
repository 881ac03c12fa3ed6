import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { program } from "../../../src/drivers/opnsense/program.ts";
import { escapeXml } from "../../../src/drivers/pf/xml.ts";
import { runProcess } from "../../../src/runtime/process.ts";
import { missingFor } from "../../conformance/needs.ts";
import { type Config, type Entry, type ListName, listNames, parseConfig, places } from "./config.ts";
import { type Kept, restoreInto, snapshotOf } from "./php.ts";

// The program that the product puts on OPNsense, run by a real PHP over stand-ins for OPNsense's own classes, against what
// the fake does in its place: the same configuration has to come out.

/** Why it can't be run here; undefined where it can. */
async function whyNot(): Promise<string | undefined> {
  const missing = await missingFor(["php"]);
  if (missing !== undefined) return missing;
  const { stdout } = await runProcess("here", ["php", "-m"]);
  return /^SimpleXML$/m.test(stdout) && /^dom$/m.test(stdout) ? undefined : "PHP without XML";
}

const reason = await whyNot();
let folder = "";

/** OPNsense's own classes, as far as the program calls them: the configuration is a file, an action is a line. */
const classes = `<?php
namespace OPNsense\\Core;
class Config {
  private static $one = null;
  private $xml;
  public $locked = false;
  static function getInstance() { return self::$one ?? (self::$one = new Config()); }
  function __construct() { $this->xml = simplexml_load_file(getenv('SIXGATE_CONFIG')); }
  function lock($reload = true) { $this->locked = true; return $this; }
  function object() { return $this->xml; }
  function save($revision = null, $backup = true) {
    if (!$this->locked) throw new \\Exception('saved without the lock');
    file_put_contents(getenv('SIXGATE_CONFIG'), $this->xml->asXML());
  }
}
class Backend {
  function configdRun($event) { file_put_contents(getenv('SIXGATE_CONFIG') . '.log', "$event\\n", FILE_APPEND); return "OK\\n"; }
}
`;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sixgate-php-"));
  mkdirSync(join(folder, "script"));
  writeFileSync(join(folder, "script/load_phalcon.php"), classes);
  // Its notes of what was removed go where this test finds them.
  writeFileSync(join(folder, "sixgate.php"), program.replaceAll('"/tmp/delete_', `"${folder}/delete_`));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function xmlOf(config: Config): string {
  const lists = listNames.map((name) => {
    const { path, element } = places[name];
    const items = config.lists[name].map(({ uuid, fields }) => {
      const inner = Object.entries(fields).map(([field, text]) => `<${field}>${escapeXml(text)}</${field}>`);
      return `<${element} uuid="${uuid}">${inner.join("")}</${element}>`;
    });
    return { path, inner: items.join("\n") };
  });
  const at = (...path: readonly string[]): string =>
    lists.find((each) => each.path.join("/") === path.join("/"))?.inner ?? "";
  return `<?xml version="1.0"?>
<opnsense><system><hostname>fw</hostname></system><interfaces><lan><if>vtnet1</if></lan></interfaces>
<virtualip version="1.0.1">${at("virtualip")}</virtualip><staticroutes>${at("staticroutes")}</staticroutes><sysctl>${at("sysctl")}</sysctl>
<OPNsense><Firewall><Alias><geoip/><aliases>${at("OPNsense", "Firewall", "Alias", "aliases")}</aliases></Alias>
<Filter><rules>${at("OPNsense", "Firewall", "Filter", "rules")}</rules><snatrules>${at("OPNsense", "Firewall", "Filter", "snatrules")}</snatrules></Filter></Firewall>
<Gateways>${at("OPNsense", "Gateways")}</Gateways></OPNsense></opnsense>
`;
}

type Ran = {
  readonly config: Config;
  readonly code: number;
  readonly said: string;
  readonly removed: readonly string[];
};

async function php(xml: string, verb: string, file: string): Promise<Ran> {
  const path = join(folder, "config.xml");
  writeFileSync(path, xml);
  for (const name of readdirSync(folder)) if (name.startsWith("delete_")) rmSync(join(folder, name));
  const ran = await runProcess("php", [
    "env",
    `SIXGATE_CONFIG=${path}`,
    "php",
    "-d",
    `include_path=${folder}`,
    "-d",
    "display_errors=stderr",
    join(folder, "sixgate.php"),
    verb,
    file,
  ]);
  const removed = readdirSync(folder)
    .filter((name) => name.startsWith("delete_"))
    .map((name) => `${name} ${readFileSync(join(folder, name), "utf8").trim()}`);
  return {
    config: parseConfig(readFileSync(path, "utf8"), () => "none"),
    code: ran.code,
    said: `${ran.stdout}${ran.stderr}`,
    removed: removed.sort(),
  };
}

const word = fc.constantFrom("a", "b & c", "d <e>", "f\ng", "");
const uuid = fc.uuid();

function entries(name: ListName): fc.Arbitrary<Entry[]> {
  const { about } = places[name];
  const address = fc.constantFrom("2001:db8::1", "2001:db8::2", "2001:db8::3");
  const fields = fc.tuple(fc.boolean(), word, address, word).map(([own, text, value, other]): Entry["fields"] => ({
    ...(name === "vip" ? { subnet: value } : name === "route" ? { network: `${value}/128` } : { name: other.trim() }),
    content: other.trim(),
    [about]: own ? `sixgate: x${text.trim()}` : text.trim(),
  }));
  return fc.array(fc.record({ uuid, fields }), { maxLength: 5 });
}

const anyConfig: fc.Arbitrary<Config> = fc.tuple(...listNames.map((name) => entries(name))).map((lists) => ({
  hostname: "fw",
  interfaces: { lan: { if: "vtnet1" } },
  lists: Object.fromEntries(listNames.map((name, i) => [name, lists[i] ?? []])) as Config["lists"],
}));

test.skipIf(reason !== undefined)(
  "snapshot and restore give what the fake gives, whatever the two configurations",
  async () => {
    await fc.assert(
      fc.asyncProperty(anyConfig, anyConfig, async (before, after) => {
        const file = join(folder, "kept.json");
        const kept = await php(xmlOf(before), "snapshot", file);
        expect(kept.code, kept.said).toBe(0);
        expect(kept.config).toEqual(before);
        expect((JSON.parse(readFileSync(file, "utf8")) as { lists: unknown }).lists).toEqual(
          listsOrNone(snapshotOf(before)),
        );
        const real = await php(xmlOf(after), "restore", file);
        expect(real.code, real.said).toBe(0);
        const removed = restoreInto(after, snapshotOf(before));
        expect(real.config).toEqual(after);
        expect(real.removed).toEqual(
          [
            ...[...removed.vips].map(([id, address]) => `delete_vip_${id}.todo ${address}`),
            ...[...removed.routes].map(([id, network]) => `delete_route_${id}.todo ${network}`),
          ].sort(),
        );
      }),
      { numRuns: 20, endOnFailure: true },
    );
  },
  60_000,
);

/** An empty map is an empty list in PHP. */
function listsOrNone({ lists }: Kept): unknown {
  return Object.keys(lists).length === 0 ? [] : lists;
}

test.skipIf(reason !== undefined)(
  "restore makes what is missing of the configuration, and asks for all to be reloaded",
  async () => {
    const file = join(folder, "kept.json");
    const before: Config = parseConfig("<opnsense/>", () => "none");
    before.lists.rule.push({ uuid: "1-2", fields: { description: "sixgate: a" } });
    before.lists.vip.push({ uuid: "3-4", fields: { subnet: "2001:db8::1", descr: "sixgate: b" } });
    await php(xmlOf(before), "snapshot", file);
    writeFileSync(join(folder, "config.xml.log"), "");
    const real = await php("<opnsense><system/></opnsense>", "restore", file);
    expect(real.code, real.said).toBe(0);
    expect(real.config.lists).toEqual(before.lists);
    expect(readFileSync(join(folder, "config.xml.log"), "utf8").trim().split("\n")).toEqual([
      "interface vip configure",
      "interface routes configure",
      "template reload OPNsense/Filter",
      "filter reload skip_alias",
      "filter refresh_aliases",
      "service restart sysctl",
    ]);
    expect((await php("<opnsense/>", "nonsense", file)).code).toBe(70);
    expect((await php("<opnsense/>", "restore", join(folder, "none"))).said).toContain("can't be read");
  },
);
