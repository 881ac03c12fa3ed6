import type { Findings } from "./findings.ts";
import type { Fleet } from "./fleet.ts";
import type { FleetFile } from "./schema.ts";

/** Whether the gateway is of a kind that has an API, and all is there that its API wants. */
export function checkApi(fleet: Fleet, file: FleetFile, findings: Findings): void {
  const { kind, reach, api, exec } = fleet.gateway;
  if (kind === "nftables") {
    for (const key of ["api", "exec"] as const) {
      if (file.gateway[key] === undefined) continue;
      findings.error("E273", ["gateway", key], "A Linux gateway has no API", "reach it with reach: ssh:user@host");
    }
    return;
  }
  if (reach.kind !== "none")
    findings.error("E275", ["gateway", "reach"], `${kind} is reached by api and exec`, "take reach away");
  if (exec !== undefined && api === undefined)
    findings.error(
      "E274",
      ["gateway", "exec"],
      "exec is for what the API lacks, and there is no api",
      "add api: with its url and key",
    );
  if (api === undefined) return;
  if (kind === "opnsense" && api.secret === undefined)
    findings.error("E274", ["gateway", "api"], "OPNsense wants a key and its secret", "add secret: beside key:");
  if (kind === "pfsense" && api.secret !== undefined)
    findings.error("E274", ["gateway", "api", "secret"], "pfSense's API has a key alone", "take secret away");
  const tls = file.gateway.api?.tls;
  if (tls !== undefined && (tls.fingerprint === undefined) === (tls.ca === undefined))
    findings.error(
      "E272",
      ["gateway", "api", "tls"],
      "Not one of fingerprint and ca",
      "name the one that is to be believed",
    );
}
