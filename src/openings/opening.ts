import type { HostName } from "../base/name.ts";
import type { Instant } from "../base/time.ts";
import type { Address } from "../net/address.ts";
import type { PortRange } from "../net/port.ts";
import type { Prefix } from "../net/prefix.ts";
import type { Transport } from "../net/transport.ts";

/** What is let through to an address: ports of one transport, or echo ("ping"). */
export type Service =
  | { readonly kind: "ports"; readonly transport: Transport; readonly ports: PortRange }
  | { readonly kind: "ping" };

/**
 * One opening as the gateway holds it. `from` is never empty; anywhere is `["::/0"]`.
 * No expiry here, or every renewal would be a diff.
 */
export type Opening = {
  readonly host: HostName;
  readonly to: Address;
  readonly service: Service;
  readonly from: readonly Prefix[];
  /** Who asked: `fleet.yaml` for a static opening, else the container. For people; never reaches a rule. */
  readonly askedBy: string;
};

/**
 * What is open at one address for as long as somebody asks for it: the part of an opening that goes into the
 * gateway's sets beside its address. `ends` is held in the gateway's kernel as a timeout; absent, it stays until closed.
 */
export type OpenService = { readonly service: Service; readonly from: readonly Prefix[]; readonly ends?: Instant };
