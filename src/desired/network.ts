import type { Address } from "../net/address.ts";
import type { InterfaceAddress } from "../net/interface-address.ts";
import type { Address4, InterfaceAddress4, Prefix4 } from "../net/ipv4.ts";
import type { Mac } from "../net/mac.ts";
import type { Prefix } from "../net/prefix.ts";

/** One interface of a machine as it should be. Router advertisements are never accepted; link-local is EUI-64. */
export type LinkDesired = {
  /** The kernel's name. */
  readonly name: string;
  readonly mac?: Mac;
  readonly addresses: readonly InterfaceAddress[];
  readonly addresses4: readonly InterfaceAddress4[];
  /** Addresses answered for by the kernel's NDP proxy on this link (on-link providers). */
  readonly proxies: readonly Address[];
  /** What it is for, in a comment of the file. */
  readonly purpose: string;
};

/** `to` is `::/0` for the default route. A unicast route has `via` and, when via is link-local or off-link, `device`. */
export type RouteDesired =
  | {
      readonly kind: "unicast";
      readonly to: Prefix;
      readonly via: Address;
      readonly device: string;
      readonly onlink: boolean;
    }
  | { readonly kind: "unreachable"; readonly to: Prefix }
  | {
      readonly kind: "unicast4";
      readonly to: Prefix4;
      readonly via: Address4;
      readonly device: string;
      readonly onlink: boolean;
    };

/** One kernel setting; `key` in dots (net.ipv6.conf.all.forwarding), `value` as /proc/sys shows it, `why` for the file. */
export type SysctlDesired = { readonly key: string; readonly value: string; readonly why: string };
