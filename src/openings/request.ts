import type { HostName } from "../base/name.ts";
import type { Instant } from "../base/time.ts";
import type { Address } from "../net/address.ts";
import type { Lease } from "./lease.ts";
import type { Service } from "./opening.ts";
import type { Asker } from "./policy.ts";
import type { Source } from "./source.ts";

/** What a label or a person asks for at one address: a wish, not a right. */
export type Request = {
  /** One text per request in the fleet, the same as long as its container lives: by it an opening keeps its place. */
  readonly key: string;
  readonly by: Asker;
  readonly host: HostName;
  /** The id of the container whose label it is; absent when a person asks. */
  readonly container?: string;
  /** Who has the address: the same container, or the one whose networks it shares. With the address it owns the opening. */
  readonly holder?: { readonly container: string; readonly networkId: string };
  readonly to: Address;
  readonly service: Service;
  /** Never empty. */
  readonly from: readonly Source[];
  readonly lease?: Lease;
  /** When it was first asked: `for` counts from here. */
  readonly since: Instant;
  readonly asked: Asked;
};

/** Where something was asked, and how. Encoded and cut, for terminals, logs and pages as they are. */
export type Asked = {
  /** `sixgate.open rule 2`, `sixgate.rule.web`, or a person's name. */
  readonly at: string;
  /** The rule as it was written. */
  readonly text: string;
  /** What stands behind its `#`. */
  readonly comment?: string;
};
