import type { LabelRule } from "../../src/openings/labels.ts";
import { formatLease } from "../../src/openings/lease.ts";
import { formatService } from "../../src/openings/services.ts";
import { formatSource } from "../../src/openings/source.ts";

/** `22/tcp, published from @office for 2h # admin`. */
export function sayRule(rule: LabelRule): string {
  const ports = [...rule.services.map(formatService), ...(rule.published ? ["published"] : [])].join(", ");
  const lease = rule.lease === undefined ? "" : ` ${formatLease(rule.lease)}`;
  const comment = rule.comment === undefined ? "" : ` # ${rule.comment}`;
  return `${ports} from ${rule.from.map(formatSource).join(", ")}${lease}${comment}`;
}
