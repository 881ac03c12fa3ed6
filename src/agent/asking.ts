import { setTimeout as sleep } from "node:timers/promises";

const firstWait = 50;
const longestWait = 5_000;

/**
 * Asks about things by their names, some at a time, and never about one thing twice at once: what is wanted again
 * while it is being asked is asked once more after that. What fails is asked again, later each time.
 */
export class Asking {
  readonly #ask: (names: readonly string[]) => Promise<void>;
  readonly #most: number;
  readonly #failed: (error: unknown) => void;
  readonly #wanted = new Set<string>();
  #asking = false;
  #wait = 0;
  #ended = false;

  /** `ask`: for at most `most` names in one go. */
  constructor(options: {
    readonly ask: (names: readonly string[]) => Promise<void>;
    readonly most: number;
    readonly failed: (error: unknown) => void;
  }) {
    this.#ask = options.ask;
    this.#most = options.most;
    this.#failed = options.failed;
  }

  want(names: Iterable<string>): void {
    for (const name of names) this.#wanted.add(name);
    if (!this.#asking && this.#wanted.size > 0 && !this.#ended) void this.#run();
  }

  end(): void {
    this.#ended = true;
    this.#wanted.clear();
  }

  async #run(): Promise<void> {
    this.#asking = true;
    while (this.#wanted.size > 0 && !this.#ended) {
      const names = [...this.#wanted].slice(0, this.#most);
      for (const name of names) this.#wanted.delete(name);
      try {
        await this.#ask(names);
        this.#wait = 0;
      } catch (error) {
        if (this.#ended) break;
        for (const name of names) this.#wanted.add(name);
        this.#failed(error);
        this.#wait = Math.min(longestWait, Math.max(firstWait, this.#wait * 2));
        await sleep(this.#wait);
      }
    }
    this.#asking = false;
  }
}
