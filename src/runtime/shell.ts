/** What a program left behind. */
export type Ran = { readonly code: number; readonly stdout: string; readonly stderr: string };

export type RunOptions = {
  /** Written to standard input; secrets go here, never into `argv`. */
  readonly input?: string;
  /** Milliseconds; 30,000 by default. The program is killed then and the call rejects with E501. */
  readonly timeout?: number;
  readonly signal?: AbortSignal;
};

/**
 * A place where programs run and files lie: this machine, a machine behind ssh, or a namespace of the lab. Drivers
 * know nothing else of where they are. Arguments are never parsed by a shell on the way: `run(["ip", "addr"])`.
 */
export type Shell = {
  /** For messages: `local`, `ssh root@fw`, `lab fw`. */
  readonly name: string;
  /**
   * The network that its programs are in, where this process can open sockets in it too: its own, or another network
   * namespace of this machine by its path in /proc. Absent where the programs are on another machine.
   */
  readonly network?: "own" | { readonly namespace: string };
  /** Resolves whatever the exit code; rejects with a Failure when the program can't be started or times out. */
  run(argv: readonly string[], options?: RunOptions): Promise<Ran>;
  /** The text of a file, or undefined when there is none. Rejects when it is there but can't be read. */
  read(path: string): Promise<string | undefined>;
  /** Names in a folder, sorted; empty when there is no such folder. */
  list(folder: string): Promise<readonly string[]>;
  /** Writes beside, syncs, renames: a reader sees the old or the new text. Makes the folders. `mode` 0o644 by default. */
  write(path: string, text: string, mode?: number): Promise<void>;
  /** Not an error when it is not there. */
  remove(path: string): Promise<void>;
  /**
   * Comes in anew, beside a connection that is kept, and rejects when that fails: what is kept can outlive a change
   * that lets nobody in any more. Absent where there is no connection to lose.
   */
  reconnect?(): Promise<void>;
};
