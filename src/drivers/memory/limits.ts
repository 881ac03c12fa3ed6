import type { Diagnostic } from "../../base/diagnostic.ts";
import type { Desired } from "../../desired/desired.ts";
import { normalize } from "./convert.ts";

/** Memory takes all but what no device takes: the same thing twice. */
export function audit(desired: Desired): readonly Diagnostic[] {
  const seen = new Set<string>();
  const twice = normalize(desired).filter(({ key }) => seen.size === seen.add(key).size);
  return twice.map(({ key }) => ({
    code: "E491",
    severity: "error",
    at: `${desired.device} ${desired.layer}`,
    text: `"${key}" is there twice`,
    fix: "say it once",
  }));
}
