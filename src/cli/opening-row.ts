import { formatDuration } from "../base/duration.ts";
import { type Instant, seconds } from "../base/time.ts";
import type { OpeningView, RefusalView } from "../controller/controller.ts";
import { formatService } from "../openings/services.ts";
import { formatPrefix } from "../openings/source.ts";
import type { Cell } from "./terminal.ts";

export const openingHeading: readonly string[] = [
  "ID",
  "WHERE",
  "ADDRESS",
  "WHAT",
  "FROM",
  "ASKED BY",
  "GRANTED BY",
  "LEFT",
];

export function openingRow(opening: OpeningView, now: Instant): readonly Cell[] {
  const { askedBy, state } = opening;
  return [
    opening.id,
    whereOf(opening),
    opening.to,
    formatService(opening.service),
    fromOf(opening),
    `${askedBy.kind} ${askedBy.name}${opening.reason === undefined ? "" : `: ${opening.reason}`}`,
    opening.grantedBy,
    state === "held" ? { text: "held", tone: "change" } : leftOf(opening.ends, now),
  ];
}

/** `vm1/web`, or the host where nobody says which container it is. */
export function whereOf(view: Pick<OpeningView | RefusalView, "host"> & Pick<OpeningView, "container">): string {
  return view.container === undefined ? view.host : `${view.host}/${view.container.name}`;
}

export function fromOf(opening: Pick<OpeningView, "from">): string {
  const shown = opening.from.slice(0, 3).map(formatPrefix).join(", ");
  return opening.from.length > 3 ? `${shown} and ${opening.from.length - 3} more` : shown;
}

/** In whole minutes from an hour on, so that a list is easy to read; `-` where it has no end. */
function leftOf(ends: Instant | undefined, now: Instant): string {
  if (ends === undefined) return "-";
  const left = Math.max(0, Math.ceil((ends - now) / 1000));
  return left === 0 ? "ends" : formatLength(left);
}

/** Roughly, in at most two units: `2h 5m`, `3d 1h`, `45s`. */
export function formatLength(length: number): string {
  if (length < 60) return formatDuration(seconds(Math.max(1, Math.round(length))));
  const minutes = Math.round(length / 60);
  const [days, hours, rest] = [Math.floor(minutes / 1440), Math.floor(minutes / 60) % 24, minutes % 60];
  const parts = [`${days}d`, `${hours}h`, `${rest}m`].filter((part) => !part.startsWith("0"));
  return parts.slice(0, 2).join(" ");
}
