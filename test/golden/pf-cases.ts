import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { keyOf } from "../../src/change/change-set.ts";
import { diff } from "../../src/change/diff.ts";
import type { GatewayDesired } from "../../src/desired/desired.ts";
import type { DriverKind, RenderedFile } from "../../src/drivers/driver.ts";
import type { ImportedFleet } from "../../src/drivers/pf/fleet-from.ts";
import { parseFleet } from "../../src/fleet/parse-fleet.ts";
import type { ApiWay } from "../../src/runtime/way.ts";
import { derived } from "../conformance/states.ts";

// A case is a folder: a fleet file, the sections of config.xml that it means (`config.xml`), and a whole configuration
// with them laid into it (`into.xml`). Both are judged by the fake: booted with them, the device has nothing left to change.

export type Firewall = {
  readonly name: "pfsense" | "opnsense";
  readonly kind: DriverKind<GatewayDesired>;
  readonly render: (desired: GatewayDesired) => readonly RenderedFile[];
  readonly renderInto: (text: string, desired: GatewayDesired) => string;
  readonly read: (text: string) => ImportedFleet;
  /** A factory default whose NICs are assigned, as after the first minutes with a new device. */
  readonly fresh: () => string;
  /** A device that was booted with a configuration. */
  readonly boot: (config: string) => Promise<{ way(): ApiWay; stop(): Promise<void> }>;
};

export type Cases = {
  readonly names: readonly string[];
  readonly desiredOf: (name: string) => GatewayDesired;
  /** A file of `test/fixtures`, of that product. */
  readonly fixture: (name: string) => string;
};

export function casesOf({ name: product }: Pick<Firewall, "name">): Cases {
  const folder = join(import.meta.dirname, product);
  return {
    names: readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name),
    desiredOf: (name) => gatewayIn(readFileSync(join(folder, name, "fleet.yaml"), "utf8")),
    fixture: (name) => readFileSync(join(import.meta.dirname, "../fixtures", product, name), "utf8"),
  };
}

function gatewayIn(fleet: string): GatewayDesired {
  const found = derived(fleet).find((each) => each.layer === "gateway");
  if (found === undefined) throw new Error("no gateway");
  return found;
}

/** What a device that was booted with a configuration has left to change. */
export async function leftOn(
  { kind, boot }: Pick<Firewall, "kind" | "boot">,
  config: string,
  desired: GatewayDesired,
): Promise<readonly string[]> {
  const fake = await boot(config);
  try {
    const { items } = await kind.at(fake.way(), desired).observe();
    return diff(items, kind.normalize(desired)).map(keyOf);
  } finally {
    await fake.stop();
  }
}

/** What is rendered for a fleet, by its golden files and by a device that has it. */
export function renderTests(firewall: Firewall, { names, desiredOf, fixture }: Cases): void {
  const { name: product, render, renderInto, fresh } = firewall;
  const folder = join(import.meta.dirname, product);

  test.each(names)("render gives the sections of %s, and a device that has them needs no change", async (name) => {
    const desired = desiredOf(name);
    const [file] = render(desired);
    expect(render(desired)).toEqual([file]);
    await expect(file?.text).toMatchFileSnapshot(join(folder, name, "config.xml"));
    expect(await leftOn(firewall, file?.text ?? "", desired)).toEqual([]);
  });

  test.each(names)(
    "renderInto lays %s into a factory default, once, and a device that has it needs no change",
    async (name) => {
      const desired = desiredOf(name);
      const whole = renderInto(fresh(), desired);
      await expect(whole).toMatchFileSnapshot(join(folder, name, "into.xml"));
      expect(renderInto(whole, desired)).toBe(whole);
      expect(await leftOn(firewall, whole, desired)).toEqual([]);
    },
  );

  test("renderInto moves only what is ours from one fleet to another and back", () => {
    const desired = desiredOf("article");
    const after = renderInto(fixture(`${product}-article-2vm.config.xml`), desired);
    const there = renderInto(after, desiredOf("sources-and-ranges"));
    expect(there).not.toBe(after);
    expect(renderInto(there, desired)).toBe(after);
  });

  test("renderInto says what a file lacks", () => {
    const desired = desiredOf("article");
    const other = product === "pfsense" ? "opnsense" : "pfsense";
    expect(() => renderInto(`<${other}/>`, desired)).toThrow(`its root is <${other}>, not <${product}>`);
    expect(() => renderInto(fixture(`${product}-default-config.xml`), desired)).toThrow(
      "it has no interface on vtnet0",
    );
    expect(() => renderInto(`<${product}>`, desired)).toThrow();
  });
}

/** What is read back into a fleet file, from what people made and from what was rendered. */
export function importTests(
  { name: product, read, renderInto, fresh }: Firewall,
  { names, desiredOf, fixture }: Cases,
): void {
  test("import reads the article's firewall into a fleet file, guesses marked", async () => {
    const imported = read(fixture(`${product}-article-2vm.config.xml`));
    await expect(imported.text).toMatchFileSnapshot(join(import.meta.dirname, product, "imported-article.yaml"));
    const parsed = parseFleet(imported.text, "fleet.yaml");
    expect(parsed.ok ? parsed.warnings.map(({ code }) => code) : parsed.errors).toEqual(["W201"]);
    expect(imported.text.match(/# guess: /g)?.length).toBe(imported.guesses);
  });

  test.each(names)("import gives back the hosts and openings of %s", (name) => {
    const desired = desiredOf(name);
    const { text } = read(renderInto(fresh(), desired));
    const parsed = parseFleet(text, "fleet.yaml");
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
    expect([...parsed.value.hosts.values()].map(({ slot }) => slot)).toEqual([2, 3, 1000]);
    const again = gatewayIn(text);
    const bare = ({ openings }: GatewayDesired): unknown =>
      openings.map(({ to, service, from }) => ({ to, service, from }));
    expect(bare(again)).toEqual(bare(desired));
    expect(again.policy.betweenHosts).toBe(desired.policy.betweenHosts);
    expect(again.policy.egress).toBe(desired.policy.egress);
  });
}
