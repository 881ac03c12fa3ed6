import { formatDiagnostic } from "../base/diagnostic.ts";
import { hasPrefix } from "../fleet/delegation.ts";
import { type Exit, exit } from "./exit.ts";
import { type FleetSource, openFleet } from "./fleet-file.ts";
import type { Terminal } from "./terminal.ts";

/** `sixgate validate`: schema, cross-checks, lints and numbering. No network, nothing written. */
export async function validate(source: FleetSource, terminal: Terminal): Promise<Exit> {
  const opened = await openFleet(source, "offsets");
  const warnings = opened.warnings.flatMap((warning) => formatDiagnostic(warning).split("\n"));
  for (const line of warnings) terminal.line(line, "change");
  const { fleet, plan } = opened;
  const networks = plan.hosts.reduce((sum, host) => sum + host.networks.length, 0);
  terminal.line(
    `${opened.file} is valid: ${plan.hosts.length} hosts, ${networks} container networks, ${fleet.openings.length} openings, ${opened.warnings.length} warnings`,
    "good",
  );
  if (!hasPrefix(fleet))
    terminal.line("its prefix is delegated and none is in force: what depends on it was not checked", "dim");
  terminal.result({ format: "sixgate.validate/1", valid: true, warnings: opened.warnings });
  return exit.fine;
}
