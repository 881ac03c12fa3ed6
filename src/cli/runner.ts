import type { Exit } from "./exit.ts";
import type { Terminal } from "./terminal.ts";

/** Options that stand before the verb and hold for every one. */
export type Globals = {
  readonly json?: boolean;
  readonly color: boolean;
  readonly input: boolean;
  readonly directory?: string;
};

/** What every verb is called with. It turns what the verb gives into the process's exit code. */
export type Runner = (work: (terminal: Terminal, globals: Globals) => Promise<Exit>) => Promise<void>;
