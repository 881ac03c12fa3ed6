import { listFolder, readText, removeFile, writeText } from "./files.ts";
import { runProcess } from "./process.ts";
import type { Shell } from "./shell.ts";

/** This machine. */
export function localShell(): Shell {
  return {
    name: "local",
    network: "own",
    run: (argv, options) => runProcess("local", argv, options),
    read: readText,
    list: listFolder,
    write: writeText,
    remove: removeFile,
  };
}
