import type { Code } from "../../base/codes.ts";

/** The links of the chain that lets a packet in, in their order. */
export const linkNames = ["address", "request", "decision", "element", "host", "proof"] as const;

/**
 * One link of the chain. `holds`: it is there; `missing`: it is not, and so the port is closed; `unknown`: nobody can
 * tell now, which is neither.
 */
export type Link = {
  readonly link: (typeof linkNames)[number];
  readonly state: "holds" | "missing" | "unknown";
  readonly text: string;
  readonly code?: Code;
  /** What to do about a link that does not hold. */
  readonly fix?: string;
};

export function holds(link: Link["link"], text: string): Link {
  return { link, state: "holds", text };
}

export function missing(link: Link["link"], text: string, fix: string, code?: Code): Link {
  return { link, state: "missing", text, fix, ...(code === undefined ? {} : { code }) };
}

export function unknown(link: Link["link"], text: string, fix: string, code?: Code): Link {
  return { link, state: "unknown", text, fix, ...(code === undefined ? {} : { code }) };
}
