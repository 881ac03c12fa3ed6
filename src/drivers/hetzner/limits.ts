import type { Diagnostic } from "../../base/diagnostic.ts";
import { type ChangeSet, keyOf } from "../../change/change-set.ts";
import type { ProviderDesired } from "../../desired/desired.ts";
import { lengthOf } from "../../net/prefix.ts";

/** Robot knows prefixes of servers, which are /64, and shorter ones that were ordered beside. */
export function audit({ device, prefix }: ProviderDesired): readonly Diagnostic[] {
  if (lengthOf(prefix) <= 64) return [];
  const text = `${prefix} is none that the provider routes: those are /64 and shorter`;
  return [
    {
      code: "E462",
      severity: "error",
      at: String(device),
      text,
      fix: "write the whole prefix, or take provider.api away",
    },
  ];
}

export function consequences({ changes }: ChangeSet): readonly string[] {
  return changes.map((change) => {
    const prefix = keyOf(change).replace("prefix ", "");
    return `${prefix} will go to one MAC only: what has its addresses elsewhere is cut off; it can be moved ten times an hour`;
  });
}
