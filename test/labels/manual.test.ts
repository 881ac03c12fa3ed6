import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { allocate } from "../../src/addressing/allocate.ts";
import { hostGrounds } from "../../src/addressing/host-ground.ts";
import { emptyLedger } from "../../src/addressing/ledger.ts";
import type { HostName } from "../../src/base/name.ts";
import { instant } from "../../src/base/time.ts";
import { parseFleet } from "../../src/fleet/parse-fleet.ts";
import { address } from "../../src/net/address.ts";
import type { ContainerReport, DeclaredPort } from "../../src/openings/container-report.ts";
import { decideAll } from "../../src/openings/decide-all.ts";
import { labelLimits } from "../../src/openings/label-limits.ts";
import { parseLabels } from "../../src/openings/labels.ts";
import { requestsOf } from "../../src/openings/requests-of.ts";
import { formatService } from "../../src/openings/services.ts";
import { formatPrefix } from "../../src/openings/source.ts";
import { suggestionsOf } from "../../src/openings/suggestions.ts";
import { sayRule } from "./say.ts";

// What the manual and the Compose example promise, row by row.

const project = join(import.meta.dirname, "../..");
const manual = readFileSync(join(project, "docs/labels.md"), "utf8");

/** The cells of the table below the header, without the backticks. */
function tableBelow(text: string, header: string): readonly (readonly string[])[] {
  const lines = text.slice(text.indexOf(header)).split("\n").slice(2);
  const rows = lines.slice(
    0,
    lines.findIndex((line) => !line.startsWith("| ")),
  );
  return rows.map((row) =>
    row
      .slice(2, -2)
      .split(" | ")
      .map((cell) => cell.replace(/^`(.*)`$/, "$1")),
  );
}

const examples = tableBelow(manual, "| label | opens |");
const refusals = tableBelow(manual, "| label | code | why |");

test("the manual has its tables", () => {
  expect(examples).toHaveLength(10);
  expect(refusals.length).toBeGreaterThan(10);
});

test.each(examples)("the manual says what %s opens", (label, opens) => {
  const { rules, problems } = parseLabels({ "sixgate.open": label ?? "" });
  expect(problems).toEqual([]);
  expect(rules.map((rule) => sayRule(rule))).toEqual([opens]);
});

test.each(refusals)("the manual says that %s is %s", (label = "", code) => {
  const equals = label.indexOf("=");
  const { rules, problems } = parseLabels({ [label.slice(0, equals)]: label.slice(equals + 1) });
  expect(rules).toEqual([]);
  expect(problems[0]?.code).toBe(code);
});

test("the manual's first example is four rules, in both ways to write them", () => {
  const [, line] = /-l 'sixgate\.open=(.*)'/.exec(manual) ?? [];
  const [, yaml = ""] = /```yaml\n(services:[^]*?)```/.exec(manual) ?? [];
  const compose = parse(yaml) as { services: { web: { labels: Record<string, string> } } };
  for (const labels of [{ "sixgate.open": line ?? "" }, compose.services.web.labels]) {
    const { rules, problems } = parseLabels(labels);
    expect(problems).toEqual([]);
    expect(rules.map((rule) => sayRule(rule).replace(/ #.*/, ""))).toEqual([
      "80/tcp, 443/tcp from any",
      "443/udp from any",
      "22/tcp from @office for 2h",
      "ping from any",
    ]);
  }
});

test("the manual has the limits as they are", () => {
  const [, said = ""] = /Limits \(E901\): ([^]*?)\n\n/.exec(manual) ?? [];
  const numbers = said.match(/[0-9][0-9,]*/g)?.map((each) => Number(each.replace(",", "")));
  const { key, value, total, labels, rules, ports, sources, comment } = labelLimits;
  expect(numbers).toEqual([key, value, total, labels, rules, ports, sources, comment]);
});

type ComposeService = {
  readonly networks: readonly string[];
  readonly expose?: readonly string[];
  readonly ports?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
};

function composeReports(): readonly ContainerReport[] {
  const compose = parse(readFileSync(join(project, "examples/compose/compose.yaml"), "utf8")) as {
    readonly services: Readonly<Record<string, ComposeService>>;
  };
  const networks: Readonly<Record<string, string>> = { web: "22", db: "23" };
  const port = (text: string): DeclaredPort => ({
    transport: "tcp",
    ports: { first: Number(text), last: Number(text) },
  });
  return Object.entries(compose.services).map(([name, service], i) => ({
    id: name,
    name: `shop-${name}-1`,
    project: "shop",
    service: name,
    image: name,
    mode: "bridge",
    state: "running",
    labels: service.labels ?? {},
    imageLabels: {},
    published: (service.ports ?? []).map((each) => port(each.split(":").at(-1) ?? "")),
    // What the images declare themselves.
    exposed: [...(service.expose ?? []), ...(name === "db" ? ["5432"] : ["80"])].map(port),
    endpoints: service.networks.map((network) => ({
      network,
      networkId: network,
      address: address(`2001:db8:1234:321d:${networks[network] ?? ""}::${i + 8}`),
    })),
  }));
}

test("the Compose example gets the answers and suggestions that its page lists, under the lab's policy", () => {
  const fleet = parseFleet(readFileSync(join(project, "examples/lab.yaml"), "utf8"), "lab.yaml");
  if (!fleet.ok) throw new Error(JSON.stringify(fleet.errors));
  const numbered = allocate(fleet.value, emptyLedger(fleet.value.name));
  if (!numbered.ok) throw new Error(JSON.stringify(numbered.errors));
  const { groups, policy } = fleet.value;
  const context = { hosts: hostGrounds(numbered.value.plan), groups, containers: () => [] };
  const reports = composeReports();
  const directory = new Map(reports.map((each) => [each.id, each]));
  const asked = reports.map((each) =>
    requestsOf(each, { host: "vm1" as HostName, directory, trustImages: [], since: instant(0) }),
  );
  expect(asked.flatMap((each) => each.refusals)).toEqual([]);
  const requests = asked.flatMap((each) => each.requests);
  expect(new Set(requests.map((each) => each.to))).toEqual(new Set(["2001:db8:1234:321d:22::8"]));
  const page = readFileSync(join(project, "examples/compose/README.md"), "utf8");
  const answers = decideAll(policy.openings, requests, context, instant(0), new Set()).map((each) => [
    `\`${each.request.container ?? ""}\`, ${each.request.asked.at}`,
    formatService(each.request.service),
    each.kind === "refused"
      ? each.refusal.code
      : `open by ${each.grantedBy} to ${each.from.map(formatPrefix).join(", ")}`,
  ]);
  expect(tableBelow(page, "| asked by | what | answer |")).toEqual(answers);
  const suggested = reports.flatMap((each) =>
    suggestionsOf(each, directory, []).map(({ transport, ports, label }) => [
      each.id,
      formatService({ kind: "ports", transport, ports }),
      label,
    ]),
  );
  expect(tableBelow(page, "| suggested by | port | label |")).toEqual(suggested);
});
