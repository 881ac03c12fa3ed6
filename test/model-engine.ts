import type { ContainerSight, EngineEvent, NetworkSight } from "../src/agent/sight.ts";
import { type Address, address } from "../src/net/address.ts";
import { idOf } from "./trust.ts";

type ModelContainer = {
  readonly id: string;
  name: string;
  status: "created" | "running" | "paused" | "exited";
  readonly labels: Readonly<Record<string, string>>;
  readonly image: string;
  readonly mode: ContainerSight["mode"];
  readonly networks: Set<string>;
  /** By network id, as the networks know them. */
  readonly live: Map<string, Address>;
  /** What the list tells: it lags behind an end. */
  listed: { status: ModelContainer["status"]; live: ReadonlyMap<string, Address> };
};

/**
 * An engine as a model: containers, networks that give a freed address to the next one, events in the engine's order,
 * and a list that lags behind them. What it says at any moment is what a real one would.
 */
export class ModelEngine {
  readonly containers = new Map<string, ModelContainer>();
  readonly events: EngineEvent[] = [];
  readonly #networks: ReadonlyMap<string, string>;
  #at = 1_800_000_000_000;
  #count = 100;
  /** 20.10 tells `die` before `disconnect`, 23 and later the other way. */
  readonly #dieFirst: boolean;

  constructor(options: { readonly networks?: number; readonly dieFirst?: boolean } = {}) {
    const count = options.networks ?? 2;
    const ids = Array.from({ length: count }, (_, n) => [idOf(n + 1), n === 0 ? "bridge" : `net${n}`] as const);
    this.#networks = new Map(ids);
    this.#dieFirst = options.dieFirst ?? false;
  }

  get networkIds(): readonly string[] {
    return [...this.#networks.keys()];
  }

  #emit(action: EngineEvent["action"], container: string, network?: string): void {
    this.#at += 1.25;
    const key = `${this.#at} ${action} ${network ?? ""} ${container}`;
    this.events.push({ action, container, at: this.#at, key, ...(network === undefined ? {} : { network }) });
  }

  #take(network: string): Address {
    const group = 0x21 + this.networkIds.indexOf(network);
    const used = new Set([...this.containers.values()].map((each) => each.live.get(network)));
    for (let n = 2; ; n++) {
      const candidate = address(`2001:db8:1:2:${group.toString(16)}::${n.toString(16)}`);
      if (!used.has(candidate)) return candidate;
    }
  }

  create(
    options: {
      readonly name?: string;
      readonly labels?: Readonly<Record<string, string>>;
      readonly image?: string;
      readonly mode?: ContainerSight["mode"];
      readonly networks?: readonly string[];
    } = {},
  ): string {
    this.#count++;
    const id = idOf(this.#count);
    this.containers.set(id, {
      id,
      name: options.name ?? `c${this.#count}`,
      status: "created",
      labels: options.labels ?? { "sixgate.open": "80" },
      image: options.image ?? "sha256:a",
      mode: options.mode ?? "bridge",
      networks: new Set(options.networks ?? [idOf(1)]),
      live: new Map(),
      listed: { status: "created", live: new Map() },
    });
    return id;
  }

  #of(id: string): ModelContainer {
    const found = this.containers.get(id);
    if (found === undefined) throw new Error(`no ${id}`);
    return found;
  }

  #sync(each: ModelContainer): void {
    each.listed = { status: each.status, live: new Map(each.status === "exited" ? [] : each.live) };
  }

  /** The first half of a start: networks know the address, the list doesn't. */
  attach(id: string): void {
    const each = this.#of(id);
    if (each.status === "running" || each.status === "paused") return;
    for (const network of each.networks) {
      if (each.live.has(network)) continue;
      each.live.set(network, this.#take(network));
      this.#emit("connect", id, network);
    }
  }

  start(id: string): void {
    const each = this.#of(id);
    if (each.status === "running" || each.status === "paused") return;
    this.attach(id);
    each.status = "running";
    this.#sync(each);
    this.#emit("start", id);
  }

  /** Ends it. Its addresses are free before anybody is told. `lag`: the list still calls it alive, until `settle`. */
  kill(id: string, lag = false): void {
    const each = this.#of(id);
    if (each.status !== "running" && each.status !== "paused") return;
    const networks = [...each.live.keys()];
    each.live.clear();
    each.status = "exited";
    if (!lag) this.#sync(each);
    const disconnects = (): void => {
      for (const network of networks) this.#emit("disconnect", id, network);
    };
    if (this.#dieFirst) this.#emit("die", id);
    disconnects();
    if (!this.#dieFirst) this.#emit("die", id);
  }

  remove(id: string): void {
    this.kill(id);
    this.containers.delete(id);
    this.#emit("destroy", id);
  }

  join(id: string, network: string): void {
    const each = this.#of(id);
    each.networks.add(network);
    if (each.status !== "running" || each.live.has(network)) return;
    each.live.set(network, this.#take(network));
    this.#sync(each);
    this.#emit("connect", id, network);
  }

  part(id: string, network: string): void {
    const each = this.#of(id);
    each.networks.delete(network);
    if (each.status !== "running" || !each.live.delete(network)) return;
    this.#sync(each);
    this.#emit("disconnect", id, network);
  }

  pause(id: string): void {
    const each = this.#of(id);
    if (each.status !== "running") return;
    each.status = "paused";
    this.#sync(each);
    this.#emit("pause", id);
  }

  resume(id: string): void {
    const each = this.#of(id);
    if (each.status !== "paused") return;
    each.status = "running";
    this.#sync(each);
    this.#emit("unpause", id);
  }

  rename(id: string, name: string): void {
    this.#of(id).name = name;
    this.#emit("rename", id);
  }

  /** The list catches up. */
  settle(): void {
    for (const each of this.containers.values()) this.#sync(each);
  }

  sight(id: string): ContainerSight | undefined {
    const each = this.containers.get(id);
    if (each === undefined) return undefined;
    const { status, live } = each.listed;
    const runs = status === "running" || status === "paused";
    return {
      id,
      name: each.name,
      image: "web",
      imageId: each.image,
      mode: each.mode,
      status: status === "running" || status === "paused" ? status : "stopped",
      labels: each.labels,
      published: [],
      exposed: [],
      attachments: new Map(
        [...(runs ? live : [])].map(([network, at]) => [
          network,
          { network: this.#networks.get(network) ?? "", address: at },
        ]),
      ),
    };
  }

  list(): readonly ContainerSight[] {
    return [...this.containers.keys()]
      .map((id) => this.sight(id))
      .filter((sight) => sight !== undefined && sight.status !== "stopped") as ContainerSight[];
  }

  network(id: string): NetworkSight | undefined {
    const name = this.#networks.get(id);
    if (name === undefined) return undefined;
    const members = new Map<string, Address>();
    for (const each of this.containers.values()) {
      const at = each.live.get(id);
      if (at !== undefined) members.set(each.id, at);
    }
    return { id, name, ipv6: true, members };
  }

  /** What an agent should say: every container that runs, with its addresses, by name. */
  truth(): ReadonlyMap<string, string> {
    const found = new Map<string, string>();
    for (const each of this.containers.values()) {
      const runs = each.status === "running" || each.status === "paused";
      if (!runs && each.live.size === 0) continue;
      const state = runs ? each.status : "starting";
      const at = [...each.live].map(([network, a]) => `${this.#networks.get(network) ?? ""} ${a}`).sort();
      found.set(each.id, `${each.name} ${state} ${at.join(", ")}`);
    }
    return found;
  }
}
