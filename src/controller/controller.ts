import type { AddressPlan } from "../addressing/address-plan.ts";
import type { Ledger } from "../addressing/ledger.ts";
import type { Code } from "../base/codes.ts";
import type { HostName } from "../base/name.ts";
import type { Instant, Seconds } from "../base/time.ts";
import type { Count } from "../drivers/members-lane.ts";
import type { Fleet } from "../fleet/fleet.ts";
import type { Address } from "../net/address.ts";
import type { PortRange } from "../net/port.ts";
import type { Prefix } from "../net/prefix.ts";
import type { Transport } from "../net/transport.ts";
import type { ContainerReport } from "../openings/container-report.ts";
import type { OpenService, Service } from "../openings/opening.ts";

/** Who asks the controller for something: named in the journal. `viewer` may look, `operator` open and close, `admin` enrol and revoke. */
export type Person = { readonly name: string; readonly role: "viewer" | "operator" | "admin" };

export type ContainerName = { readonly id: string; readonly name: string };

export type OpeningView = {
  /** Stable while it is open: what `close` takes. */
  readonly id: string;
  readonly host: HostName;
  readonly container?: ContainerName;
  readonly to: Address;
  readonly service: Service;
  readonly from: readonly Prefix[];
  /** `held`: found on the gateway, its host has not reported yet. */
  readonly state: "open" | "held";
  readonly askedBy: { readonly kind: "label" | "person" | "fleet"; readonly name: string; readonly text: string };
  readonly reason?: string;
  /** The policy's rule; `fleet.yaml` for a static one. */
  readonly grantedBy: string;
  readonly since: Instant;
  readonly ends?: Instant;
};

export type RefusalView = {
  readonly host: HostName;
  readonly container: ContainerName;
  readonly to?: Address;
  /** Where it was asked: `sixgate.open rule 2 column 4`. This and the texts below are encoded already. */
  readonly at: string;
  /** The label's rule, as it was written. */
  readonly text: string;
  readonly code: Code;
  readonly why: string;
  readonly fix: string;
  readonly since: Instant;
};

/** A port that an image declares, or that is published, and nobody asked to open. */
export type SuggestionView = {
  readonly host: HostName;
  readonly container: ContainerName;
  readonly address: Address;
  readonly transport: Transport;
  readonly ports: PortRange;
  readonly declared: "exposed" | "published";
  /** What to write in the container's labels. */
  readonly label: string;
};

export type AgentView = {
  readonly host: HostName;
  /** `never`: not enrolled, or never came; `silent`: no sign of life for 30 s; `stale`: its openings were closed. */
  readonly state: "never" | "connected" | "silent" | "stale" | "revoked";
  readonly seen?: Instant;
  readonly version?: string;
  readonly engine?: string;
  readonly containers: number;
  readonly certificateEnds?: Instant;
};

export type Status = {
  readonly fleet: string;
  readonly version: string;
  readonly started: Instant;
  /** False until every host that held openings has reported or gone stale: nothing of theirs is pruned before. */
  readonly complete: boolean;
  /** `drift`: at so many addresses somebody else had changed the gateway at the last look; they were put right. */
  readonly gateway: { readonly reached: boolean; readonly error?: string; readonly drift: number };
  readonly openings: number;
  readonly refusals: number;
  readonly agents: { readonly all: number; readonly connected: number };
  /** `entries`: the newest entry's sequence; `head`: its hash. */
  readonly journal: { readonly entries: number; readonly head: string };
  /** Milliseconds from the engine's event to the element in force: of the last 1,000. */
  readonly latency: { readonly count: number; readonly p50?: number; readonly p99?: number };
};

export type JournalEntry = {
  readonly sequence: number;
  readonly at: Instant;
  /** A person's name, `agent vm1`, or `controller`. */
  readonly who: string;
  readonly what: string;
  /** Plain data, as it was written. */
  readonly detail: Readonly<Record<string, unknown>>;
  /** SHA-256, in hex, over the previous hash and this entry. */
  readonly hash: string;
};

/** What happens, as it happens. */
export type ControllerEvent =
  | { readonly kind: "opened"; readonly at: Instant; readonly opening: OpeningView; readonly ms?: number }
  | { readonly kind: "closed"; readonly at: Instant; readonly opening: OpeningView; readonly why: string }
  | { readonly kind: "refused"; readonly at: Instant; readonly refusal: RefusalView }
  | { readonly kind: "agent"; readonly at: Instant; readonly agent: AgentView }
  | {
      readonly kind: "alarm";
      readonly at: Instant;
      readonly host: HostName;
      readonly alarm: string;
      readonly text: string;
    }
  | { readonly kind: "gateway"; readonly at: Instant; readonly reached: boolean; readonly text: string }
  /** Packets that the gateway dropped, alike ones together; at most some a second. */
  | {
      readonly kind: "denied";
      readonly at: Instant;
      readonly from: Address;
      readonly to: Address;
      readonly transport: string;
      readonly port?: number;
      readonly count: number;
    };

export type OpenWish = {
  /** `vm1/web`, or an address in a host's block. */
  readonly to: string;
  readonly services: readonly Service[];
  readonly from: readonly Prefix[];
  readonly lasts: Seconds;
  readonly reason: string;
};

/** A token for one enrolment of one host, shown once. Holds a secret and the fingerprint of the authority. */
export type JoinToken = { readonly host: HostName; readonly token: string; readonly ends: Instant };

/** What the controller works by. `ledger`, where it is known, also has the numbers of hosts that left. */
export type Basis = { readonly fleet: Fleet; readonly plan: AddressPlan; readonly ledger?: Ledger };

/**
 * What the API, the page and the command line ask of a running controller. Views are copies: nothing of it can be
 * changed through them.
 *
 * Long lists are asked for host by host: naming one costs as much as that host has, not as the fleet has, so that a
 * page of a million openings keeps nobody waiting. Without a host a list is copied whole.
 */
export type Controller = {
  status(): Status;
  basis(): Basis;
  /** Every host of the fleet, and any other of which something is still held or refused. In order of names. */
  hosts(): readonly HostName[];
  openings(host?: HostName): readonly OpeningView[];
  /** The one with that id, found without a walk through all of them. */
  opening(id: string): OpeningView | undefined;
  refusals(host?: HostName): readonly RefusalView[];
  suggestions(host?: HostName): readonly SuggestionView[];
  /** As the host's agent last reported them; empty before it did. */
  containers(host: HostName): readonly ContainerReport[];
  agents(): readonly AgentView[];
  /** What the gateway itself holds at that address, read now and not remembered. Rejects where it can't be read. */
  inForce(to: Address, signal?: AbortSignal): Promise<readonly OpenService[]>;
  /** What the gateway has counted of all that is open at these hosts, read now; undefined where it does not count. */
  counts(hosts: readonly HostName[], signal?: AbortSignal): Promise<readonly Count[] | undefined>;
  /** Rejects with a Failure where policy, limits or the address forbid it. Resolves when it is in force. */
  open(by: Person, wish: OpenWish): Promise<readonly OpeningView[]>;
  /** Only what a person opened can be closed so; a label's opening closes with its container. */
  close(by: Person, id: string, reason: string): Promise<void>;
  invite(by: Person, host: HostName): Promise<JoinToken>;
  revoke(by: Person, host: HostName, reason: string): Promise<void>;
  /** Entries with a greater sequence, in order; sequences begin with 1, holes are where entries were lost. */
  journal(after: number, most: number): Promise<readonly JournalEntry[]>;
  /** Writes down what somebody did that is not the controller's own doing: a token made, a token revoked. */
  note(by: Person, what: string, detail: Readonly<Record<string, unknown>>): Promise<void>;
  /** The first entry that does not fit its hash; undefined when all fit. */
  verifyJournal(): Promise<number | undefined>;
  watch(listener: (event: ControllerEvent) => void): () => void;
};
