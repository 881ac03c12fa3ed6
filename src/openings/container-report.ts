import type { NetworkName } from "../base/name.ts";
import type { Address } from "../net/address.ts";
import type { PortRange } from "../net/port.ts";
import type { Transport } from "../net/transport.ts";

/** An attachment of a container to a network of its engine, with the public address that it has there. */
export type Endpoint = {
  readonly network: NetworkName | string;
  readonly networkId: string;
  readonly address: Address;
};

export type DeclaredPort = { readonly transport: Transport; readonly ports: PortRange };

/**
 * What an agent says of one container: facts, no decisions. Everything in it comes from a host that may have been
 * taken over, and is checked by whoever receives it.
 */
export type ContainerReport = {
  /** The engine's id, 64 hex digits: what an opening belongs to, together with network and address. */
  readonly id: string;
  readonly name: string;
  /** Compose's project and service, where there are any: for `%name` sources, and for people. */
  readonly project?: string;
  readonly service?: string;
  readonly image: string;
  /** The engine's id of the image: unlike its name nobody can give it to another one. */
  readonly imageId?: string;
  /** `bridge`: networks of its own. `container`: shares those of `sharesWith`. `host` has no address of its own. */
  readonly mode: "bridge" | "container" | "host" | "none";
  readonly sharesWith?: string;
  readonly state: "starting" | "running" | "paused";
  /** Only keys that begin with `sixgate.`, and only those that were set on the container itself. */
  readonly labels: Readonly<Record<string, string>>;
  /** Those that came with the image, or can't be told from one of it: they open nothing, but may narrow. */
  readonly imageLabels: Readonly<Record<string, string>>;
  /** `-p` without loopback (for the word `published`), and EXPOSE (for suggestions only). Container's ports. */
  readonly published: readonly DeclaredPort[];
  readonly exposed: readonly DeclaredPort[];
  /** Sorted by network's name. */
  readonly endpoints: readonly Endpoint[];
};
