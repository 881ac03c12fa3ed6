import type { Instant } from "../base/instant.ts";
import type { Seconds } from "../base/time.ts";
import type { Prefix } from "../net/prefix.ts";
import type { Transport } from "../net/transport.ts";
import type { Service } from "./opening.ts";

/**
 * What is asked for: a service, or the ports that the container publishes (`-p`), of one transport or of all. Which
 * they are, only the engine knows; {@link servicesOf} puts them in.
 */
export type Wanted = Service | { readonly kind: "published"; readonly transports: readonly Transport[] };

/** Where from. A group is one of the fleet file, a container is one of the fleet by its name: both are looked up by `decide`. */
export type Source =
  | { readonly kind: "any" }
  | { readonly kind: "prefix"; readonly prefix: Prefix }
  | { readonly kind: "group"; readonly name: string }
  | { readonly kind: "container"; readonly name: string };

/** For how long. `run`: nothing was said, as long as the container runs. `for` counts from when the container was first seen. */
export type Lasting =
  | { readonly kind: "run" }
  | { readonly kind: "for"; readonly seconds: Seconds }
  | { readonly kind: "until"; readonly at: Instant };

/** What a label asked for: a wish, not a right. A rule with several ports is several requests. */
export type Request = {
  readonly wanted: Wanted;
  /** Never empty; the sources are joined. */
  readonly from: readonly Source[];
  readonly lasting: Lasting;
  /** The rule's comment or its `desc`, as the label has it: for people, to be made printable where it is shown. */
  readonly why?: string;
  /** `sixgate.open:2:1`: label, line, column. */
  readonly at: string;
};

/** The services that a request stands for, where `published` is what the engine says the container publishes. */
export function servicesOf(request: Request, published: readonly Service[]): readonly Service[] {
  const { wanted } = request;
  if (wanted.kind !== "published") return [wanted];
  return published.filter((each) => each.kind === "ports" && wanted.transports.includes(each.transport));
}
