/** Milliseconds between two notes; finer is of no use. */
const step = 100;
const most = 64;

/** Which tick it was a while ago. */
export class Past {
  readonly #notes: { readonly tick: number; readonly at: number }[] = [];

  note(tick: number, now: number): void {
    const last = this.#notes.at(-1);
    if (last !== undefined && now - last.at < step) return;
    this.#notes.push({ tick, at: now });
    if (this.#notes.length > most) this.#notes.shift();
  }

  /** The last tick that was noted at that time or before; -1 where none was. */
  at(time: number): number {
    return this.#notes.findLast((note) => note.at <= time)?.tick ?? -1;
  }
}
