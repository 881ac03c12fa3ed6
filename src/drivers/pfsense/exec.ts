import type { Prefix } from "../../net/prefix.ts";
import type { Shell } from "../../runtime/shell.ts";
import { type Exec, execAt } from "../pf/exec.ts";
import type { LaneWish } from "./lane-wish.ts";
import { bootHookPath, folder, program, programPath } from "./program.ts";

/** What is added to and taken from an alias. */
export type MemberChange = { readonly add: readonly string[]; readonly remove: readonly string[] };

/** pfSense's own PHP over a root shell: what the REST API package can't do. */
export type PfSenseExec = Exec & {
  /** Gives each rule of ours its own tracker, and interfaces the keys back that what is kept has and the API lost. */
  tidy(id: string | undefined, known: readonly string[], signal?: AbortSignal): Promise<void>;
  nowhere(network: Prefix, present: boolean, signal?: AbortSignal): Promise<void>;
  members(changes: Readonly<Record<string, MemberChange>>, signal?: AbortSignal): Promise<void>;
  /** Makes what is missing of the members lane, and loads it. */
  lane(wish: LaneWish, signal?: AbortSignal): Promise<void>;
  /** Takes away what that made for these tables, where they hold nothing and nothing of others names them. */
  unlane(tables: readonly string[], signal?: AbortSignal): Promise<void>;
};

/** The login shell of `admin` is a menu that hands on the first word of a command alone; root's is a real one. */
export function pfSenseExecAt(shell: Shell): PfSenseExec {
  const exec = execAt(shell, {
    product: "pfSense",
    folder,
    programPath,
    program,
    bootHookPath,
    noShell: "The shell does not run a command of several words: admin's login shell is pfSense's menu",
    fix: "use exec: ssh:root@…, with your key among those of the user admin",
  });
  return {
    ...exec,
    tidy: (id, known, signal) => exec.php(["tidy"], { snapshot: id === undefined ? "" : exec.kept(id), known }, signal),
    nowhere: (network, present, signal) => exec.php(["nowhere"], { network, present }, signal),
    members: (changes, signal) => exec.php(["members"], changes, signal),
    lane: (wish, signal) => exec.php(["lane"], wish, signal),
    unlane: (tables, signal) => exec.php(["unlane"], { tables }, signal),
  };
}
