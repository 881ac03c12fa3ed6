import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { serviceAlias } from "../../../src/drivers/pf/names.ts";
import { serviceModel } from "../../../src/drivers/pf/policy.ts";
import { wishOf } from "../../../src/drivers/pfsense/lane-wish.ts";
import { program } from "../../../src/drivers/pfsense/program.ts";
import { prefix } from "../../../src/net/prefix.ts";
import type { Service } from "../../../src/openings/opening.ts";
import { runProcess } from "../../../src/runtime/process.ts";
import { missingFor } from "../../conformance/needs.ts";
import { type Config, type Fields, textOf } from "./config.ts";
import { dropLaneIn, ours as isStructure, laneIn, membersIn, restoreInto, snapshotOf, tidyIn } from "./php.ts";

// The program that the product puts on pfSense, run by a real PHP over stand-ins for pfSense's own functions, against what
// the fake does in its place: the same configuration has to come out.

const reason = await missingFor(["php"]);
let folder = "";

/** What pfSense's include files give, as far as the program calls it: the configuration is a JSON file. */
const include = `<?php
$GLOBALS['config'] = json_decode(file_get_contents(getenv('SIXGATE_CONFIG')), true);
$GLOBALS['done'] = [];
function &at_path($path, $make) {
  $at = &$GLOBALS['config'];
  foreach (explode('/', $path) as $key) {
    if (!is_array($at) || !array_key_exists($key, $at)) { if (!$make) { $none = null; return $none; } $at[$key] = null; }
    $at = &$at[$key];
  }
  return $at;
}
function config_get_path($path, $default = null) { $found = at_path($path, false); return $found === null || $found === '' && $default !== null ? $default : $found; }
function config_set_path($path, $value) { $at = &at_path($path, true); $at = $value; }
function config_del_path($path) {
  $keys = explode('/', $path); $last = array_pop($keys);
  $at = &at_path(implode('/', $keys), false);
  if (is_array($at)) unset($at[$last]);
}
function write_config($why) { file_put_contents(getenv('SIXGATE_CONFIG'), json_encode($GLOBALS['config'])); }
function note(...$words) { $GLOBALS['done'][] = implode(' ', $words); }
function interface_bring_down($id, $destroy) { note('down', $id); }
function interface_configure($id, $all) { note('configure', $id); }
function interface_vip_bring_down($vip) { note('vip down', $vip['subnet']); }
function interface_ipalias_configure($vip) { note('vip up', $vip['subnet']); }
function mwexec($command, $quiet) { note($command); }
function system_routing_configure() {} function setup_gateways_monitor() {} function system_setup_sysctl() {}
function filter_configure_sync() {} function clear_subsystem_dirty($what) {}
`;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sixgate-php-"));
  const names = ["globals", "config", "functions", "filter", "shaper", "interfaces", "gwlb", "system"];
  for (const name of names) writeFileSync(join(folder, `${name}.inc`), name === "config" ? include : "<?php\n");
  writeFileSync(join(folder, "sixgate.php"), program);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function php(
  config: Config,
  verb: readonly string[],
  input: unknown,
): Promise<{ config: Config; said: unknown; code: number }> {
  const path = join(folder, "config.json");
  writeFileSync(path, JSON.stringify(config));
  const ran = await runProcess(
    "php",
    [
      "env",
      `SIXGATE_CONFIG=${path}`,
      `PATH=${folder}:${process.env["PATH"] ?? ""}`,
      "php",
      "-d",
      `include_path=${folder}`,
      "-d",
      "display_errors=stderr",
      join(folder, "sixgate.php"),
      ...verb,
    ],
    { input: JSON.stringify(input) },
  );
  const text = readFileSync(path, "utf8");
  return {
    config: JSON.parse(text) as Config,
    said: ran.stdout === "" ? ran.stderr : JSON.parse(ran.stdout),
    code: ran.code,
  };
}

const ours = fc.boolean();
const word = fc.constantFrom("a", "b", "c", "d", "e");
const descr = fc.tuple(ours, word).map(([own, name]) => (own ? `sixgate: ${name}` : name));
const list = (extra: fc.Arbitrary<Fields>): fc.Arbitrary<Fields[]> =>
  fc.array(
    fc.tuple(descr, extra).map(([text, fields]): Fields => ({ ...fields, descr: text })),
    { maxLength: 6 },
  );
const address = fc.constantFrom("2001:db8::1", "2001:db8::2", "2001:db8::3");

const anyConfig: fc.Arbitrary<Config> = fc.record({
  version: fc.constant("24.0"),
  interfaces: fc.record({
    wan: fc.record({ if: fc.constant("vtnet0"), descr: word, strange: word }),
    opt1: fc.record({ if: fc.constant("vtnet2"), descr: word }),
  }),
  virtualip: fc.record({
    vip: list(fc.record({ subnet: address, subnet_bits: fc.constantFrom("76", "80"), interface: fc.constant("opt1") })),
  }),
  gateways: fc.record({ defaultgw6: word, gateway_item: list(fc.record({ name: word })) }),
  staticroutes: fc.record({
    route: list(fc.record({ network: fc.constantFrom("2001:db8:1::/64", "2001:db8:2::/64"), gateway: word })),
  }),
  aliases: fc.record({
    alias: list(
      fc.record({
        name: word,
        address: fc.array(address, { maxLength: 3 }).map((all) => all.join(" ")),
        detail: fc.constant(""),
      }),
    ),
  }),
  nat: fc.record({
    outbound: fc.record({ mode: fc.constantFrom("automatic", "hybrid"), rule: list(fc.constant({})) }),
  }),
  filter: fc.record({ rule: list(fc.record({ tracker: fc.constantFrom("5", "6", "7") })) }),
  sysctl: fc.record({ item: list(fc.record({ tunable: word })) }),
});

test.skipIf(reason !== undefined)(
  "snapshot and restore give what the fake gives, whatever the two configurations",
  async () => {
    await fc.assert(
      fc.asyncProperty(anyConfig, anyConfig, async (before, after) => {
        const file = join(folder, "kept.json");
        expect((await php(before, ["snapshot", file], { interfaces: ["wan", "opt1", "opt9"] })).code).toBe(0);
        const kept = snapshotOf(before, ["wan", "opt1", "opt9"]);
        const real = await php(after, ["restore", file], {});
        expect(real.code, String(real.said)).toBe(0);
        const changed = restoreInto(after, kept);
        expect(real.config).toEqual(after);
        expect(real.said).toEqual({ interfaces: changed });
      }),
      { numRuns: 25 },
    );
  },
  60_000,
);

test.skipIf(reason !== undefined)(
  "tidy and members give what the fake gives",
  async () => {
    await fc.assert(
      fc.asyncProperty(
        anyConfig,
        fc.array(address, { maxLength: 3 }),
        fc.array(address, { maxLength: 3 }),
        async (config, add, remove) => {
          const file = join(folder, "kept.json");
          await php(config, ["snapshot", file], { interfaces: ["wan"] });
          const kept = snapshotOf(config, ["wan"]);
          const bare = structuredClone(config);
          delete bare.interfaces["wan"]?.["strange"];
          const real = await php(bare, ["tidy"], { snapshot: file, known: ["if", "descr"] });
          expect(real.said).toEqual(tidyIn(bare, { known: ["if", "descr"] }, kept, 0));
          expect(real.config).toEqual(bare);
          const trackers = bare.filter.rule
            .filter((each) => textOf(each, "descr")?.startsWith("sixgate: ") === true)
            .map((each) => each["tracker"]);
          expect(new Set(trackers).size).toBe(trackers.length);

          const name = textOf(bare.aliases.alias[0] ?? {}, "name") ?? "a";
          const members = await php(bare, ["members"], { [name]: { add: [...new Set(add)], remove } });
          const missing = membersIn(bare, { [name]: { add: [...new Set(add)], remove } });
          expect(members.code === 0).toBe(missing.length === 0);
          if (missing.length === 0) expect(members.config).toEqual(bare);
        },
      ),
      { numRuns: 20 },
    );
  },
  60_000,
);

const structure = { uplink: "vtnet0", inside: "vtnet2", policy: { betweenHosts: "closed" } } as Parameters<
  typeof serviceModel
>[0];
const [anyone, office] = [prefix("::/0"), prefix("2001:db8:ff::/48")];
const nothing: Config = {
  version: "24.0",
  interfaces: { wan: { if: "vtnet0" }, opt1: { if: "vtnet2" } },
  virtualip: { vip: [] },
  gateways: { gateway_item: [] },
  staticroutes: { route: [] },
  aliases: { alias: [] },
  nat: { outbound: { rule: [] } },
  filter: { rule: [] },
  sysctl: { item: [] },
};

function withoutTrackers(config: Config): Config {
  return { ...config, filter: { rule: config.filter.rule.map((each) => ({ ...each, tracker: "" })) } };
}

test.skipIf(reason !== undefined)(
  "lane makes what the fake makes, once, and its things are neither kept nor put back",
  async () => {
    const wish = wishOf([
      serviceModel(structure, "l", { kind: "ports", transport: "tcp", ports: { first: 443, last: 443 } }, [anyone], []),
      serviceModel(structure, "t", { kind: "ports", transport: "udp", ports: { first: 1, last: 9 } }, [office], []),
      serviceModel(structure, "l", { kind: "ping" }, [office], []),
    ]);
    await fc.assert(
      fc.asyncProperty(anyConfig, anyConfig, async (config, other) => {
        const real = await php(config, ["lane"], wish);
        expect(real.code, String(real.said)).toBe(0);
        const mine = structuredClone(config);
        expect(real.said).toEqual({ made: laneIn(mine, wish, 0) });
        expect(withoutTrackers(real.config)).toEqual(withoutTrackers(mine));
        const trackers = real.config.filter.rule.slice(config.filter.rule.length).map((each) => each["tracker"]);
        expect(new Set(trackers).size).toBe(trackers.length);
        expect((await php(real.config, ["lane"], wish)).said).toEqual({ made: 0 });

        const file = join(folder, "kept.json");
        await php(other, ["snapshot", file], { interfaces: [] });
        const back = await php(real.config, ["restore", file], {});
        const lanes = (all: Config): readonly Fields[] =>
          [...all.aliases.alias, ...all.filter.rule].filter((each) => /sg[lts]_/.test(JSON.stringify(each)));
        expect(lanes(back.config)).toEqual(lanes(real.config));
        expect(back.config.aliases.alias.filter(isStructure)).toEqual(other.aliases.alias.filter(isStructure));
      }),
      { numRuns: 10 },
    );
    const taken = { name: "sgl_tcp_443", type: "host", address: "2001:db8::1", descr: "mine", detail: "" };
    const before = { ...nothing, aliases: { alias: [taken] } };
    const refused = await php(before, ["lane"], wish);
    expect([refused.code, refused.config]).toEqual([70, before]);
  },
  60_000,
);

test.skipIf(reason !== undefined)(
  "unlane takes away what the fake takes away: never what pf has an entry in, nor what others name",
  async () => {
    const tcp = (port: number): Service => ({ kind: "ports", transport: "tcp", ports: { first: port, last: port } });
    const wish = wishOf([
      serviceModel(structure, "l", tcp(44), [anyone], []),
      serviceModel(structure, "l", tcp(443), [office], []),
      serviceModel(structure, "t", tcp(8443), [office], []),
      serviceModel(structure, "l", { kind: "ping" }, [anyone], []),
    ]);
    const asked = wish.aliases.map(({ name }) => name);
    // pf, as far as it is asked: these are tables without entries, another holds one, the rest can't be told.
    const empty = ["sgl_tcp_44", serviceAlias("l", tcp(443), [office]), serviceAlias("t", tcp(8443), [office])];
    const pfctl = `#!/bin/sh\ncase $3 in ${empty.join(" | ")}) ;; sgl_ping) echo "   2001:db8::7" ;; *) exit 255 ;; esac\n`;
    writeFileSync(join(folder, "pfctl"), pfctl, { mode: 0o755 });
    const isEmpty = (table: string): boolean => empty.includes(table);
    await fc.assert(
      fc.asyncProperty(anyConfig, fc.constantFrom(...asked, "nothing"), async (config, named) => {
        const full = structuredClone(config);
        laneIn(full, wish, 0);
        full.filter.rule.push({ type: "pass", descr: "somebody's", destination: { address: named } });
        const real = await php(full, ["unlane"], { tables: [...asked, "sgl_none_such", "x; id"] });
        expect(real.code, String(real.said)).toBe(0);
        const mine = structuredClone(full);
        expect(real.said).toEqual({ gone: dropLaneIn(mine, asked, isEmpty) });
        expect(real.config).toEqual(mine);
        const left = mine.aliases.alias.map((each) => textOf(each, "name"));
        for (const kept of ["sgs_none", "sgl_ping", ...(asked.includes(named) ? [named] : [])])
          expect(left).toContain(kept);
        if (named === "nothing")
          expect(left.filter((each) => asked.includes(each ?? ""))).toEqual(["sgs_none", "sgl_ping"]);
      }),
      { numRuns: 15 },
    );
  },
  60_000,
);

test.skipIf(reason !== undefined)("nowhere sets the route once and takes it away again", async () => {
  const empty: Config = {
    version: "24.0",
    interfaces: {},
    virtualip: { vip: [] },
    gateways: { gateway_item: [] },
    staticroutes: { route: [{ network: "2001:db8::/64", gateway: "a", descr: "b" }] },
    aliases: { alias: [] },
    nat: { outbound: { rule: [] } },
    filter: { rule: [] },
    sysctl: { item: [] },
  };
  const once = await php(empty, ["nowhere"], { network: "2001:db8::/64", present: true });
  const twice = await php(once.config, ["nowhere"], { network: "2001:db8::/64", present: true });
  expect(twice.config.staticroutes.route).toEqual([
    { network: "2001:db8::/64", gateway: "a", descr: "b" },
    { network: "2001:db8::/64", gateway: "Null6", descr: "sixgate: unused space" },
  ]);
  expect(
    (await php(twice.config, ["nowhere"], { network: "2001:db8::/64", present: false })).config.staticroutes.route,
  ).toEqual(empty.staticroutes.route);
  expect((await php(empty, ["nonsense"], {})).code).toBe(70);
});
