import { type FileHandle, open } from "node:fs/promises";
import type { Failure } from "../base/failure.ts";
import type { Clock } from "../runtime/clock.ts";
import { journalFailure, writeSegmentHead } from "./journal-disk.ts";
import type { JournalMark } from "./journal-line.ts";
import type { Place } from "./journal-open.ts";
import { segmentPath } from "./journal-segment.ts";

type Waiting = JournalMark & { readonly previous: string; readonly line: string };
type Waiter = { readonly sequence: number; resolve(): void; reject(cause: Failure): void };

/** Milliseconds that an entry waits for others when nobody waits for it. */
const linger = 25;
/** Milliseconds until what failed is tried again. */
const retryAfter = 1000;
/** Entries in one write. */
const mostAtOnce = 4096;

/** Puts lines on disk, in order, many at a time. What failed half-way is cut off before the next try. */
export class JournalWriter {
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #segmentBytes: number;
  #path: string;
  #durable: JournalMark;
  #size: number;
  #handle: FileHandle | undefined;
  #queue: Waiting[] = [];
  #waiters: Waiter[] = [];
  #failing: Failure | undefined;
  #draining: Promise<void> | undefined;
  #timer: (() => void) | undefined;

  constructor(place: Place, clock: Clock) {
    this.#folder = place.folder;
    this.#path = place.path;
    this.#size = place.size;
    this.#durable = { sequence: place.sequence, hash: place.hash };
    this.#segmentBytes = place.segmentBytes;
    this.#clock = clock;
  }

  waiting(): number {
    return this.#queue.length;
  }

  failing(): Failure | undefined {
    return this.#failing;
  }

  /** The last entry that is on disk. */
  durable(): JournalMark {
    return this.#durable;
  }

  add(entry: Waiting): void {
    this.#queue.push(entry);
    this.#timer ??= this.#clock.after(this.#failing === undefined ? linger : retryAfter, () => this.#kick());
  }

  flush(): Promise<void> {
    const last = this.#queue.at(-1);
    if (last === undefined) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#waiters.push({ sequence: last.sequence, resolve, reject });
      this.#kick();
    });
  }

  async end(): Promise<void> {
    this.#timer?.();
    await this.#draining;
    await this.#handle?.close();
    this.#handle = undefined;
  }

  #kick(): void {
    this.#timer?.();
    this.#timer = undefined;
    this.#draining ??= this.#drain().finally(() => {
      this.#draining = undefined;
      // Who came after the last look is not left waiting.
      if (this.#waiters.length > 0) this.#kick();
      else if (this.#queue.length > 0) {
        this.#timer ??= this.#clock.after(this.#failing === undefined ? linger : retryAfter, () => this.#kick());
      }
    });
  }

  async #drain(): Promise<void> {
    try {
      while (this.#queue.length > 0) {
        const batch = this.#queue.slice(0, mostAtOnce);
        await this.#write(batch);
        this.#queue.splice(0, batch.length);
        this.#failing = undefined;
        const { sequence: done, hash } = batch.at(-1) ?? this.#durable;
        this.#durable = { sequence: done, hash };
        const told = this.#waiters.filter(({ sequence }) => sequence <= done);
        this.#waiters = this.#waiters.filter(({ sequence }) => sequence > done);
        for (const waiter of told) waiter.resolve();
      }
    } catch (cause) {
      await this.#giveUp(journalFailure(this.#path, cause));
    }
  }

  async #write(batch: readonly Waiting[]): Promise<void> {
    const [first] = batch;
    if (first === undefined) return;
    if (this.#size >= this.#segmentBytes) await this.#rotate(first);
    this.#handle ??= await this.#reopened();
    const bytes = Buffer.from(batch.map(({ line }) => `${line}\n`).join(""), "utf8");
    for (let at = 0; at < bytes.length; ) {
      const { bytesWritten } = await this.#handle.write(bytes, at, bytes.length - at, this.#size + at);
      at += bytesWritten;
    }
    await this.#handle.datasync();
    this.#size += bytes.length;
  }

  /** Cut to what is known to be whole: a write that failed may have left a part of itself. */
  async #reopened(): Promise<FileHandle> {
    const handle = await open(this.#path, "r+");
    await handle.truncate(this.#size);
    return handle;
  }

  async #rotate({ sequence, previous }: Waiting): Promise<void> {
    await this.#handle?.close();
    this.#handle = undefined;
    const path = segmentPath(this.#folder, sequence);
    this.#size = await writeSegmentHead(path, { first: sequence, previous, at: this.#clock.now() });
    this.#path = path;
  }

  async #giveUp(failure: Failure): Promise<void> {
    this.#failing = failure;
    await this.#handle?.close().catch(() => undefined);
    this.#handle = undefined;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter.reject(failure);
  }
}
