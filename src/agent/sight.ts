import type { Address } from "../net/address.ts";
import type { DeclaredPort } from "../openings/container-report.ts";

/** Where a container is attached, by the network's id. */
export type Attachment = { readonly network: string; readonly address: Address };

/** What the engine's list says of one container, less what nobody here asks for: nothing of its environment or command. */
export type ContainerSight = {
  readonly id: string;
  readonly name: string;
  readonly project?: string;
  readonly service?: string;
  readonly image: string;
  readonly imageId: string;
  readonly mode: "bridge" | "container" | "host" | "none";
  /** Of `container`: an id or a name, as it was given. */
  readonly sharesWith?: string;
  /** `stopped`: created, exited, or waiting for its restart. */
  readonly status: "running" | "paused" | "stopped";
  /** All that begin with `sixgate.`, whoever set them. */
  readonly labels: Readonly<Record<string, string>>;
  readonly published: readonly DeclaredPort[];
  readonly exposed: readonly DeclaredPort[];
  /** By network id, those with an IPv6 address; none before it runs, whatever it will have. */
  readonly attachments: ReadonlyMap<string, Attachment>;
};

/** What the engine says of one network. It knows the address of a container that only begins to start. */
export type NetworkSight = {
  readonly id: string;
  readonly name: string;
  readonly ipv6: boolean;
  /** By container id. */
  readonly members: ReadonlyMap<string, Address>;
};

/** Something that happened, as the engine's stream tells it. A hint: what is so, the engine is asked. */
export type EngineEvent = {
  readonly action: "start" | "die" | "destroy" | "pause" | "unpause" | "rename" | "connect" | "disconnect";
  readonly container: string;
  /** Of `connect` and `disconnect`. */
  readonly network?: string;
  /** Milliseconds since 1970 by the engine's clock, with a fraction. */
  readonly at: number;
  /** The same for an event that came twice. */
  readonly key: string;
};
