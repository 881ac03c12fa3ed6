import type { Diagnostic } from "../../base/diagnostic.ts";
import type { GuestDesired } from "../../desired/desired.ts";

/** What Linux takes for an interface (IFNAMSIZ: 15 characters) and every file of ours takes without quoting. */
export const linkNamePattern: RegExp = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,14}$/;

/** What no tool on Linux could do with a machine's network. */
export function auditGuest(desired: GuestDesired): readonly Diagnostic[] {
  const names = new Set(desired.links.map(({ name }) => name));
  const at = String(desired.device);
  const found: Diagnostic[] = [];
  for (const { name } of desired.links) {
    if (linkNamePattern.test(name)) continue;
    found.push({
      code: "E430",
      severity: "error",
      at,
      text: `${JSON.stringify(name)} can't be the name of an interface`,
      fix: "1 to 15 letters, digits, dots, dashes and underscores",
    });
  }
  if (names.size !== desired.links.length) {
    found.push({
      code: "E431",
      severity: "error",
      at,
      text: "An interface is there twice",
      fix: "give every NIC of the machine its own `device:`",
    });
  }
  for (const route of desired.routes) {
    if (route.kind !== "unreachable" && !names.has(route.device)) {
      found.push({
        code: "E432",
        severity: "error",
        at,
        text: `Route ${route.to} leads over ${JSON.stringify(route.device)}, which is no interface of it`,
        fix: `one of: ${[...names].join(", ") || "none is there"}`,
      });
    }
  }
  if (desired.links.length === 0 && desired.routes.length > 0) {
    found.push({
      code: "E432",
      severity: "error",
      at,
      text: "Routes without an interface to hold them",
      fix: "give the machine a NIC",
    });
  }
  for (const { key, value } of desired.sysctls) {
    if (/^[a-z0-9_]+(?:\.[A-Za-z0-9_/-]+)+$/.test(key) && /^[A-Za-z0-9 _./:-]*$/.test(value)) continue;
    found.push({
      code: "E433",
      severity: "error",
      at,
      text: `${JSON.stringify(`${key} = ${value}`)} is no kernel setting`,
      fix: "a key in dots and a plain value",
    });
  }
  return found;
}
