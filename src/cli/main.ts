import { CommanderError } from "commander";
import { Failure } from "../base/failure.ts";
import { complain, complainOfUsage } from "./complain.ts";
import { exit } from "./exit.ts";
import { cutPassed } from "./lab.ts";
import { makeProgram } from "./program.ts";
import type { Globals, Runner } from "./runner.ts";
import { openTerminal } from "./terminal.ts";

const { own, passed } = cutPassed(process.argv);

const run: Runner = async (work) => {
  const globals = program.opts<Globals>();
  const terminal = openTerminal({ json: globals.json === true, color: globals.color });
  try {
    if (globals.directory !== undefined) enter(globals.directory);
    process.exitCode = await work(terminal, globals);
  } catch (error) {
    process.exitCode = complain(error, terminal);
  }
};
const program = makeProgram(run, passed);

function enter(folder: string): void {
  try {
    process.chdir(folder);
  } catch (cause) {
    throw new Failure(
      "E802",
      "-C",
      `Can't work in ${JSON.stringify(folder)}`,
      "name a folder that is there and that you may enter",
      { cause },
    );
  }
}

// `sixgate addr | head -1`: whoever reads has seen enough.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit();
});

try {
  await program.parseAsync(own);
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  // Help and version were asked for; everything else is a call that can't be understood.
  const terminal = openTerminal({ json: own.includes("--json"), color: !own.includes("--no-color") });
  process.exitCode = error.exitCode === 0 ? exit.fine : complainOfUsage(error.message, terminal);
}
