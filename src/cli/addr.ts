import { addressTable } from "../addressing/address-table.ts";
import { type Exit, exit } from "./exit.ts";
import { openFleet } from "./fleet-file.ts";
import type { Terminal } from "./terminal.ts";

/** `sixgate addr`: the address plan as a table. Reads only. */
export async function addr(file: string | undefined, terminal: Terminal): Promise<Exit> {
  const opened = await openFleet(file);
  const rows = addressTable(opened.plan, opened.fleet);
  terminal.line(
    `ADDRESS PLAN  ${opened.plan.delegated}    /${opened.plan.hostLength} per host, ${opened.plan.hosts.length} in use    /${opened.plan.linkLength} per link`,
    "bold",
  );
  terminal.line("");
  terminal.table(
    ["HOST", "WHAT", "PREFIX OR ADDRESS", "WHERE"],
    rows.map((row) => [row.host, row.what, row.text, row.where]),
  );
  terminal.result({
    format: "sixgate.addr/1",
    delegated: opened.plan.delegated,
    uplink: opened.plan.uplink,
    hosts: opened.plan.hosts,
  });
  return exit.fine;
}
