import type { AddressPlan } from "../addressing/address-plan.ts";
import { addressTable } from "../addressing/address-table.ts";
import { type OffsetPlan, offsetsOf } from "../addressing/offsets.ts";
import { formatDiagnostic } from "../base/diagnostic.ts";
import { hasPrefix } from "../fleet/delegation.ts";
import { type Exit, exit } from "./exit.ts";
import { type FleetSource, openFleet } from "./fleet-file.ts";
import type { Terminal } from "./terminal.ts";

/** `sixgate addr`: the address plan as a table. Reads only. */
export async function addr(source: FleetSource, terminal: Terminal): Promise<Exit> {
  const opened = await openFleet(source, "offsets");
  const inForce = hasPrefix(opened.fleet);
  const shown: AddressPlan | OffsetPlan = inForce ? opened.plan : offsetsOf(opened.plan);
  for (const warning of opened.warnings) if (warning.at === "--prefix") terminal.say(formatDiagnostic(warning));
  const rows = addressTable(opened.plan, opened.fleet);
  terminal.line(
    `ADDRESS PLAN  ${shown.delegated}${inForce ? "" : ", none in force: + is added to the prefix"}    /${opened.plan.hostLength} per host, ${opened.plan.hosts.length} in use    /${opened.plan.linkLength} per link`,
    "bold",
  );
  terminal.line("");
  terminal.table(
    ["HOST", "WHAT", "PREFIX OR ADDRESS", "WHERE"],
    rows.map((row) => [row.host, row.what, row.text, row.where]),
  );
  terminal.result({
    format: "sixgate.addr/1",
    inForce,
    delegated: shown.delegated,
    uplink: shown.uplink,
    hosts: shown.hosts,
  });
  return exit.fine;
}
