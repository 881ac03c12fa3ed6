import { z } from "zod";
import type { Tool } from "./judge-table.ts";

/** Where packets are sent from and seen: the provider's cable to the gateway, and each host's. */
export const placeNames = ["internet", "vm1", "vm2"] as const;
export type PlaceName = (typeof placeNames)[number];

/** How the gateway is set while a case is asked: as the fleet file says, or with one answer of its policy changed. */
export const policyNames = ["as written", "open between hosts", "closed outwards"] as const;
export type PolicyName = (typeof policyNames)[number];

const place = z.enum(placeNames);
const values = z.record(z.string(), z.union([z.string(), z.number()]));

const step = z.strictObject({
  from: place,
  /** Packets in the notation of notation.py, sent in this order. */
  send: z.union([z.string(), z.array(z.string())]),
  /** What has to come of it; see judge.ts. */
  expect: z.string(),
  /** Text that has to be, or must not be, in what arrives. */
  shows: z.string().optional(),
  hides: z.string().optional(),
  /** Another source MAC address than the place's own. */
  mac: z.string().optional(),
  /** Another destination MAC address than the gateway's. */
  to: z.string().optional(),
  /** Seconds between packets; 0.001 where nothing is said. */
  pause: z.number().optional(),
});

const asked = {
  what: z.string().optional(),
  /** A named flow that is made first. */
  after: z.string().optional(),
  policy: z.enum(policyNames).default("as written"),
  /** Not beside others: it moves something on the link that they need. */
  alone: z.boolean().default(false),
  /** One case for each value, of each combination where there are several: `x` stands for the value in packets. */
  each: z.record(z.string(), z.array(z.union([z.string(), z.number()]))).optional(),
};

const oneStep = z.strictObject({ ...asked, ...step.shape });
const manySteps = z.strictObject({ ...asked, steps: z.array(step).min(1) });
const caseEntry = z.union([oneStep, manySteps]);
export type CaseEntry = z.output<typeof caseEntry>;

const reading = z.strictObject({
  on: z.enum(["fw", "vm1", "vm2"]).default("fw"),
  sysctl: z.string(),
  is: z.number().optional(),
  least: z.number().optional(),
});
export type Reading = z.output<typeof reading>;

/** The kernel's own clock of a flow that was just made, in seconds. */
const timer = z.strictObject({ after: z.string(), least: z.number() });

const judged = {
  /** Why what is asked here is not what the requirement says. The row's cases show that it is so. */
  deviates: z.string().optional(),
  "not-applicable": z.string().optional(),
  "not-run": z.string().optional(),
  cases: z.array(caseEntry).default([]),
  reads: z.array(reading).default([]),
  timers: z.array(timer).default([]),
  /** Steps that a packet alone can't take; see procedures.ts. */
  procedure: z.string().optional(),
  /** Judged by other rows: as good as the worst of them. */
  as: z.array(z.string()).default([]),
};

const row = z.strictObject({
  id: z.string(),
  source: z.string().optional(),
  requirement: z.string(),
  ...judged,
});
export type RowEntry = z.output<typeof row>;

export const flowsFile = z.strictObject({ kind: z.literal("flows"), flows: z.record(z.string(), z.array(step)) });
export type FlowStep = z.output<typeof step>;

export const plainFile = z.strictObject({
  kind: z.literal("rows"),
  id: z.string(),
  title: z.string(),
  source: z.string(),
  /** A paragraph for the page. */
  text: z.string().optional(),
  rows: z.array(row),
});

const word = z.array(oneStep).min(1);
const numbers = z.array(z.union([z.number(), z.string().regex(/^\d+-\d+$/)]));

export const icmpv6File = z.strictObject({
  kind: z.literal("icmpv6"),
  id: z.string(),
  title: z.string(),
  source: z.string(),
  text: z.string().optional(),
  rows: z.array(
    z.strictObject({
      row: z.number(),
      message: z.string(),
      types: numbers,
      codes: numbers.default([0]),
      advice: z.string().regex(/^[MSAPD-] [MSAPD-]$/),
      transit: z.string(),
      local: z.string(),
      why: z.strictObject({ transit: z.string().optional(), local: z.string().optional() }).default({}),
    }),
  ),
  /** Rows of the ordinary kind, after those. */
  extra: z.array(row),
  words: z.strictObject({ transit: z.record(z.string(), word), local: z.record(z.string(), word) }),
});
export type Icmpv6File = z.output<typeof icmpv6File>;

const bogonRow = z.strictObject({
  prefix: z.string(),
  what: z.string(),
  source: z.string(),
  /** Instead of the prefix's first and last. */
  addresses: z.array(z.string()).optional(),
});

export const bogonsFile = z.strictObject({
  kind: z.literal("bogons"),
  id: z.string(),
  title: z.string(),
  source: z.string(),
  text: z.string().optional(),
  rows: z.array(bogonRow),
  reachable: z.array(bogonRow),
});
export type BogonsFile = z.output<typeof bogonsFile>;

/** One table as it is judged. Every row of it ends in a verdict. */
export type Table = {
  readonly id: string;
  readonly title: string;
  readonly source: string;
  readonly text?: string | undefined;
  readonly rows: readonly Row[];
};

export type Row = Omit<RowEntry, "cases" | "timers"> & {
  readonly table: string;
  readonly cases: readonly Case[];
  readonly timers: readonly Timer[];
  readonly tool?: Tool | undefined;
};

export type Timer = { readonly flow: string; readonly steps: readonly Step[]; readonly least: number };

/** One question: steps in order, each with what has to come of it. */
export type Case = {
  readonly what: string;
  readonly policy: PolicyName;
  readonly alone?: boolean;
  readonly steps: readonly Step[];
};

export type Step = {
  readonly from: PlaceName;
  readonly send: readonly string[];
  readonly expect: string;
  readonly shows?: string | undefined;
  readonly hides?: string | undefined;
  readonly mac?: string | undefined;
  readonly to?: string | undefined;
  readonly pause?: number | undefined;
  readonly with: z.output<typeof values>;
};
