import type { HostName } from "../base/name.ts";
import { type Seconds, seconds } from "../base/time.ts";
import type { Prefix } from "../net/prefix.ts";
import type { Service } from "./opening.ts";

/** Who may use a rule: containers by their labels, people through API and command line, or both. */
export type Asker = "labels" | "people";

/** What may be opened when somebody asks. A request may narrow it, never widen it. */
export type AllowRule = {
  /** `allow[0]`, or the rule's own name: what an opening says it was granted by. */
  readonly id: string;
  /** `all`: every host of the fleet. */
  readonly hosts: "all" | readonly HostName[];
  readonly services: readonly Service[];
  /** Never empty; anywhere is `["::/0"]`. */
  readonly from: readonly Prefix[];
  /** The longest lease that it grants; absent: as long as the container runs. */
  readonly longest?: Seconds;
  readonly by: readonly Asker[];
};

/**
 * What may be opened by label or by a person. Empty is closed: rules only add, and `never` takes away from all of
 * them, whatever their order.
 */
export type OpeningPolicy = {
  readonly allow: readonly AllowRule[];
  readonly never: readonly Service[];
  readonly limits: {
    /** Openings of one container, of one host. */
    readonly perContainer: number;
    readonly perHost: number;
    /** The longest lease of an opening by a person. */
    readonly lease: Seconds;
  };
  /** A host that was silent for so long loses its openings, and it is said. */
  readonly staleAfter: Seconds;
  /** Names of images, with or without tag and digest, or ids, whose own labels count; those of all others open nothing. */
  readonly trustImages: readonly string[];
};

/** Nothing may be opened by labels or people. */
export const closedPolicy: OpeningPolicy = {
  allow: [],
  never: [],
  limits: { perContainer: 16, perHost: 256, lease: seconds(7 * 86_400) },
  staleAfter: seconds(3600),
  trustImages: [],
};
