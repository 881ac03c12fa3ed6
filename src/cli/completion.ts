import type { Command } from "commander";
import { bashCompletion } from "./completion/bash.ts";
import { fishCompletion } from "./completion/fish.ts";
import { verbTree } from "./completion/verb-tree.ts";
import { zshCompletion } from "./completion/zsh.ts";
import { type Exit, exit } from "./exit.ts";
import type { Terminal } from "./terminal.ts";

const shells = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const;

export type ShellName = keyof typeof shells;

/** `sixgate completion bash`: prints a script for that shell, made of the program as it is. */
export function completion(shell: ShellName, program: Command, terminal: Terminal): Exit {
  const text = shells[shell](verbTree(program));
  terminal.raw(text);
  terminal.result({ format: "sixgate.completion/1", shell, script: text });
  return exit.fine;
}
