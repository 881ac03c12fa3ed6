import { formatTimestamp } from "../base/timestamp.ts";
import type { ControllerEvent, OpeningView } from "../controller/controller.ts";
import { formatService } from "../openings/services.ts";
import { fromOf, whereOf } from "./opening-row.ts";
import type { Tone } from "./terminal.ts";

const kinds: ReadonlySet<string> = new Set(["opened", "closed", "refused", "agent", "alarm", "gateway", "denied"]);

/** The event, or undefined where it is of no kind that is known here. */
export function readEvent(kind: string, data: string): ControllerEvent | undefined {
  if (!kinds.has(kind)) return undefined;
  const read: unknown = JSON.parse(data);
  return typeof read === "object" && read !== null && "kind" in read && read.kind === kind
    ? (read as ControllerEvent)
    : undefined;
}

/** An event as a line for people. */
export function eventLine(event: ControllerEvent): { readonly text: string; readonly tone: Tone } {
  const { what, tone } = describe(event);
  return { text: `${formatTimestamp(event.at)}  ${event.kind.padEnd(7)}  ${what}`, tone };
}

function describe(event: ControllerEvent): { readonly what: string; readonly tone: Tone } {
  switch (event.kind) {
    case "opened": {
      const { opening, ms } = event;
      const who = `${opening.askedBy.kind} ${opening.askedBy.name}, granted by ${opening.grantedBy}`;
      return {
        what: `${openingText(opening)} (${who}${ms === undefined ? "" : `, ${ms.toFixed(1)} ms`})`,
        tone: "good",
      };
    }
    case "closed":
      return { what: `${openingText(event.opening)}: ${event.why}`, tone: "change" };
    case "refused": {
      const { refusal } = event;
      return { what: `${whereOf(refusal)} ${refusal.text}: ${refusal.code} ${refusal.why}`, tone: "bad" };
    }
    case "agent":
      return {
        what: `${event.agent.host} is ${event.agent.state}`,
        tone: event.agent.state === "connected" ? "good" : "change",
      };
    case "alarm":
      return { what: `${event.host} ${event.alarm}: ${event.text}`, tone: "bad" };
    case "gateway":
      return {
        what: `${event.reached ? "reached" : "not reached"}: ${event.text}`,
        tone: event.reached ? "good" : "bad",
      };
    case "denied": {
      const port = event.port === undefined ? "" : ` port ${event.port}`;
      return { what: `${event.from} → ${event.to} ${event.transport}${port}, ${event.count}×`, tone: "dim" };
    }
  }
}

function openingText(opening: OpeningView): string {
  return `${whereOf(opening)} ${formatService(opening.service)} at ${opening.to} from ${fromOf(opening)}`;
}
