import { printable } from "../../base/printable.ts";
import type { EngineDesired } from "../../desired/desired.ts";
import type { Shell } from "../../runtime/shell.ts";
import type { Inspected } from "../inspected.ts";
import { engineApi } from "./api.ts";
import { doorOf } from "./profile.ts";

/** The engine that runs, and who filters with its profile. Rejects where it does not answer. */
export async function inspectEngine(
  shell: Shell,
  desired: EngineDesired,
  signal?: AbortSignal,
): Promise<readonly Inspected[]> {
  const version = await engineApi(shell).version(signal);
  const { major, minor } = desired.engine;
  const what = "engine";
  const found = `Docker ${printable(version)}`;
  return [
    Number(version.split(".")[0]) === major
      ? { what, found }
      : {
          what,
          found: `${found}, the fleet file says ${major}.${minor}`,
          code: "E614",
          fix: `write docker.engine: "${/^\d+\.\d+/.exec(version)?.[0] ?? version}", or install ${major}.${minor}`,
        },
    { what: "profile", found: `${desired.profile}: ${meaning(desired)}` },
  ];
}

function meaning(desired: EngineDesired): string {
  switch (desired.profile) {
    case "gateway-only":
      return "the gateway alone filters";
    case "two-gates":
      return "the gateway filters, and Docker: a port has to be published as well";
    case "routed":
      return `the gateway filters, and Docker's filter behind it is opened towards it by ${doorOf(desired) === "fwmark" ? "a packet mark" : "DOCKER-USER"}`;
  }
}
