import type { HostName } from "../base/name.ts";
import type { Instant } from "../base/time.ts";
import type { Address } from "../net/address.ts";
import type { Granted } from "../openings/decide.ts";
import { coverService, formatService } from "../openings/services.ts";
import type { OpeningView } from "./controller.ts";
import type { Applied, State } from "./lane-state.ts";
import { openingId } from "./opening-id.ts";

export type RegisterOptions = {
  /** A container's name, as it was last reported. */
  readonly nameOf: (host: HostName, container: string) => string | undefined;
  /** A person's name and reason, by the key of the wish. */
  readonly personOf: (key: string) => { readonly by: string; readonly reason: string } | undefined;
  /** Why that request is not open any more. */
  readonly whyClosed: (granted: Granted) => string;
  readonly opened: (view: OpeningView, eventAt: Instant | undefined) => void;
  readonly closed: (view: OpeningView, why: string) => void;
};

type Entry = { readonly granted: Granted; readonly view: OpeningView };

/** What is open and why, as the gateway has confirmed it. */
export class OpeningRegister {
  readonly #options: RegisterOptions;
  readonly #byHost = new Map<HostName, Map<string, Entry>>();
  readonly #byId = new Map<string, Entry>();

  constructor(options: RegisterOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#byId.size;
  }

  hosts(): Iterable<HostName> {
    return this.#byHost.keys();
  }

  ofHost(host: HostName): readonly OpeningView[] {
    return [...(this.#byHost.get(host)?.values() ?? [])].map(({ view }) => this.#named(view));
  }

  byId(id: string): OpeningView | undefined {
    const view = this.#byId.get(id)?.view;
    return view === undefined ? undefined : this.#named(view);
  }

  isOpen(key: string): boolean {
    return this.#byId.has(openingId(key));
  }

  apply({ to, before, after, at, eventAt }: Applied): void {
    const moved = before?.owner !== undefined && before.owner !== after.owner;
    const staying = new Set(moved ? [] : after.grants.map(({ request }) => request.key));
    for (const { request } of before?.grants ?? []) if (!staying.has(request.key)) this.#close(request.key);
    const found = before === undefined ? [] : unexplained(before);
    for (const granted of after.grants) this.#open(granted, at, eventAt, found);
    if (found.length > 0) this.#closeFound(to, found, after, at);
  }

  #open(granted: Granted, at: Instant, eventAt: Instant | undefined, found: State["services"]): void {
    const { host, key, service } = granted.request;
    const entries = this.#byHost.get(host) ?? new Map<string, Entry>();
    if (entries.size === 0) this.#byHost.set(host, entries);
    const there = entries.get(key);
    const view = this.#viewOf(granted, there?.view.since ?? at);
    const entry = { granted, view };
    entries.set(key, entry);
    this.#byId.set(view.id, entry);
    // What the gateway held before is no news: it was told when it was opened.
    const wasFound = coverService(
      found.map((each) => each.service),
      service,
    );
    if (there === undefined && !wasFound) this.#options.opened(view, eventAt);
  }

  #close(key: string): void {
    const id = openingId(key);
    const entry = this.#byId.get(id);
    if (entry === undefined) return;
    this.#byId.delete(id);
    const entries = this.#byHost.get(entry.view.host);
    entries?.delete(key);
    if (entries?.size === 0) this.#byHost.delete(entry.view.host);
    this.#options.closed(this.#named(entry.view), this.#options.whyClosed(entry.granted));
  }

  /** What was found and is not there any more: nobody knows who had asked for it. */
  #closeFound(to: Address, found: State["services"], after: State, at: Instant): void {
    const left = after.services.map((each) => each.service);
    for (const { service, from, ends } of found) {
      if (coverService(left, service)) continue;
      const why = ends !== undefined && ends <= at ? "its time has passed" : "nobody asks for it";
      this.#options.closed(
        heldView({ host: after.host, to, service, from, ...(ends === undefined ? {} : { ends }) }, at),
        why,
      );
    }
  }

  #viewOf(granted: Granted, since: Instant): OpeningView {
    const { request, from, grantedBy, ends } = granted;
    const { key, host, to, service, asked } = request;
    const container = request.container ?? request.holder?.container;
    const person = this.#options.personOf(key);
    const kind = person === undefined ? "label" : "person";
    const name = container === undefined ? "" : (this.#options.nameOf(host, container) ?? container.slice(0, 12));
    return {
      id: openingId(key),
      host,
      ...(container === undefined ? {} : { container: { id: container, name } }),
      to,
      service,
      from,
      state: "open",
      askedBy: {
        kind,
        name: person?.by ?? name,
        text: person === undefined ? `${asked.at}: ${asked.text}` : asked.text,
      },
      ...(person === undefined ? {} : { reason: person.reason }),
      grantedBy,
      since,
      ...(ends === undefined ? {} : { ends }),
    };
  }

  /** With the container's name as it is now. */
  #named(view: OpeningView): OpeningView {
    const { container, host, askedBy } = view;
    const name = container === undefined ? undefined : this.#options.nameOf(host, container.id);
    if (container === undefined || name === undefined || name === container.name) return view;
    const asked = askedBy.kind === "label" ? { ...askedBy, name } : askedBy;
    return { ...view, container: { ...container, name }, askedBy: asked };
  }
}

/** What is there and nobody is known to have asked for. */
function unexplained({ services, grants }: State): State["services"] {
  const asked = grants.map(({ request }) => request.service);
  return services.filter((each) => !coverService(asked, each.service));
}

type FoundOpening = Pick<OpeningView, "host" | "to" | "service" | "from" | "ends">;

/** An opening that was found on the gateway: who asked for it is not known. */
export function heldView(found: FoundOpening, since: Instant): OpeningView {
  return {
    ...found,
    id: openingId(`held ${found.to} ${formatService(found.service)}`),
    state: "held",
    askedBy: { kind: "label", name: "", text: "" },
    grantedBy: "",
    since,
  };
}
