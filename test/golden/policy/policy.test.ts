import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { allocate } from "../../../src/addressing/allocate.ts";
import { hostGrounds } from "../../../src/addressing/host-ground.ts";
import { emptyLedger } from "../../../src/addressing/ledger.ts";
import { formatDiagnostic } from "../../../src/base/diagnostic.ts";
import { formatDuration } from "../../../src/base/duration.ts";
import type { HostName } from "../../../src/base/name.ts";
import { instant, seconds } from "../../../src/base/time.ts";
import type { Fleet } from "../../../src/fleet/fleet.ts";
import { parseFleet } from "../../../src/fleet/parse-fleet.ts";
import { address } from "../../../src/net/address.ts";
import { type DecisionContext, decide } from "../../../src/openings/decide.ts";
import type { Request } from "../../../src/openings/request.ts";
import { parseRule } from "../../../src/openings/rule.ts";
import { formatService } from "../../../src/openings/services.ts";
import { formatPrefix } from "../../../src/openings/source.ts";

// closed.txt: every way to write a policy that opens nothing. The folders: a policy, what is asked, what is decided.

const fleetHead = readFileSync(join(import.meta.dirname, "fleet-head.yaml"), "utf8");
const now = instant(Date.UTC(2026, 0, 1));

function contextOf(fleet: Fleet): DecisionContext {
  const numbered = allocate(fleet, emptyLedger(fleet.name));
  if (!numbered.ok) throw new Error(JSON.stringify(numbered.errors));
  const containers = (name: string, host: HostName | undefined) =>
    name === "api" && host !== "vm1" ? [address("2001:db8:1234:321d:32::8")] : [];
  return { hosts: hostGrounds(numbered.value.plan), groups: fleet.groups, containers };
}

/** `vm1 labels 443,ping from @office`, one answer for each service. */
function answers(fleet: Fleet, line: string): readonly string[] {
  const [host = "", by, ...words] = line.split(" ");
  const text = words.join(" ");
  const read = parseRule(text);
  if (!read.ok) throw new Error(`${line}: ${JSON.stringify(read.slips)}`);
  const { services, from, lease } = read.rule;
  return services.map((service) => {
    const request: Request = {
      key: `${line} ${formatService(service)}`,
      by: by === "people" ? "people" : "labels",
      host: host as HostName,
      to: address(host === "vm2" ? "2001:db8:1234:321d:32::80" : "2001:db8:1234:321d:22::80"),
      service,
      from,
      ...(lease === undefined ? {} : { lease }),
      since: now,
      asked: { at: "sixgate.open rule 1", text },
    };
    const decision = decide(fleet.policy.openings, request, contextOf(fleet), now);
    if (decision.kind === "refused") {
      const { code, why, fix } = decision.refusal;
      return `  ${formatService(service)}: ${code} ${why}; ${fix}`;
    }
    const ends = decision.ends === undefined ? "" : ` for ${formatDuration(seconds((decision.ends - now) / 1_000))}`;
    return `  ${formatService(service)}: open by ${decision.grantedBy} to ${decision.from.map(formatPrefix).join(", ")}${ends}`;
  });
}

const folders = readdirSync(import.meta.dirname, { withFileTypes: true }).filter((entry) => entry.isDirectory());

test.each(folders.map(({ name }) => name))("decide answers under %s", async (name) => {
  const folder = join(import.meta.dirname, name);
  const parsed = parseFleet(fleetHead + readFileSync(join(folder, "policy.yaml"), "utf8"), "fleet.yaml");
  if (!parsed.ok) throw new Error(parsed.errors.map(formatDiagnostic).join("\n"));
  const lines = readFileSync(join(folder, "requests.txt"), "utf8").trimEnd().split("\n");
  const said = lines.flatMap((line) => [line, ...answers(parsed.value, line), ""]);
  await expect(said.join("\n")).toMatchFileSnapshot(join(folder, "answers.txt"));
});

const asked = ["vm1 labels 1-65535/tcp+udp", "vm1 labels 443", "vm1 labels ping", "vm2 people 443 from @office for 1h"];

test("a policy is closed in every spelling of nothing", async () => {
  const path = join(import.meta.dirname, "closed.txt");
  const spellings = readFileSync(path, "utf8")
    .split(/^== /m)
    .slice(1)
    .map((part) => part.split("\n--\n")[0] ?? "");
  expect(spellings.length).toBeGreaterThan(10);
  const said = spellings.map((spelling) => {
    const [title = "", ...lines] = spelling.split("\n");
    const parsed = parseFleet(`${fleetHead}${lines.join("\n")}\n`, "fleet.yaml");
    const outcome = parsed.ok
      ? [
          `${asked.every((line) => answers(parsed.value, line).every((each) => /: E91\d /.test(each))) ? "closed" : "OPEN"}`,
        ]
      : parsed.errors.map(formatDiagnostic);
    return [`== ${title}`, ...lines.filter((line) => line !== ""), "--", ...outcome, "", ""].join("\n");
  });
  expect(said.join("")).not.toContain("OPEN");
  await expect(said.join("")).toMatchFileSnapshot(path);
});
