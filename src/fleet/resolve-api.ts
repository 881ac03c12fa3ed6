import type { z } from "zod";
import type { apiEntry } from "./api-entry.ts";
import type { Api } from "./fleet.ts";

/** Without `tls` the machine's own authorities decide. Which of fingerprint and ca is meant is checked elsewhere. */
export function resolveApi({ url, key, secret, tls }: z.output<typeof apiEntry>): Api {
  const fixed = { url, key, ...(secret === undefined ? {} : { secret }) };
  if (tls?.fingerprint !== undefined) return { ...fixed, tls: { kind: "fingerprint", sha256: tls.fingerprint } };
  if (tls?.ca !== undefined) return { ...fixed, tls: { kind: "ca", path: tls.ca } };
  return { ...fixed, tls: { kind: "system" } };
}
