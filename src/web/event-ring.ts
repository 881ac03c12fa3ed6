import { randomBytes } from "node:crypto";
import type { HostName } from "../base/name.ts";
import type { Controller, ControllerEvent } from "../controller/controller.ts";

/** An event with its number, and the text that every listener is sent: made once. */
export type Numbered = {
  readonly number: number;
  /** A kind of the controller's events, or `plan`: how an apply goes. */
  readonly kind: ControllerEvent["kind"] | "plan";
  readonly host: HostName | undefined;
  readonly json: string;
};

/** Events that are kept for listeners that come back: some minutes of a busy fleet. */
const most = 4096;

/**
 * What happened lately, in order. Ids are `RUN-NUMBER`: another run of the controller gives others, so that nobody
 * goes on from a number that means something else now. Denied packets are told but not kept: they are samples, and
 * would push out what matters.
 */
export class EventRing {
  readonly #run = randomBytes(6).toString("hex");
  readonly #kept: Numbered[] = [];
  /** Where the oldest is, once it is full. */
  #oldest = 0;
  #last = 0;
  /** The number of the last one that had to make room: who goes on from before it has missed something. */
  #dropped = 0;
  readonly #listeners = new Set<(event: Numbered) => void>();
  readonly #unwatch: () => void;
  constructor(controller: Controller) {
    this.#unwatch = controller.watch((event) => this.#take(event));
  }

  idOf(event: Numbered): string {
    return `${this.#run}-${event.number}`;
  }

  /** The id of what happened last: from there on nothing is missed. */
  get last(): string {
    return `${this.#run}-${this.#last}`;
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  /** What happened after that id, in order; undefined when that is no longer known, or never was. */
  after(id: string): readonly Numbered[] | undefined {
    const [, run, text] = /^([0-9a-f]{12})-([0-9]{1,15})$/.exec(id) ?? [];
    const number = Number(text);
    if (run !== this.#run || number > this.#last) return undefined;
    if (number < this.#dropped) return undefined;
    const kept = [...this.#kept.slice(this.#oldest), ...this.#kept.slice(0, this.#oldest)];
    return kept.filter((event) => event.number > number);
  }

  listen(listener: (event: Numbered) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  end(): void {
    this.#unwatch();
    this.#listeners.clear();
  }

  /** Something that is no controller's event, as text in JSON. */
  tell(kind: "plan", json: string): void {
    this.#put({ kind, host: undefined, json });
  }

  #take(event: ControllerEvent): void {
    this.#put({ kind: event.kind, host: hostOf(event), json: JSON.stringify(event) });
  }

  #put(event: Omit<Numbered, "number">): void {
    this.#last += 1;
    const numbered = { number: this.#last, ...event };
    if (event.kind !== "denied") this.#keep(numbered);
    for (const listener of this.#listeners) listener(numbered);
  }

  #keep(event: Numbered): void {
    if (this.#kept.length < most) {
      this.#kept.push(event);
      return;
    }
    this.#dropped = this.#kept[this.#oldest]?.number ?? 0;
    this.#kept[this.#oldest] = event;
    this.#oldest = (this.#oldest + 1) % most;
  }
}

function hostOf(event: ControllerEvent): HostName | undefined {
  switch (event.kind) {
    case "opened":
    case "closed":
      return event.opening.host;
    case "refused":
      return event.refusal.host;
    case "agent":
      return event.agent.host;
    case "alarm":
      return event.host;
    case "gateway":
    case "denied":
      return undefined;
  }
}
