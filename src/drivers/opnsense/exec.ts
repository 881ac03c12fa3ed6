import type { Shell } from "../../runtime/shell.ts";
import { type Exec, execAt } from "../pf/exec.ts";
import { bootHookPath, folder, program, programPath } from "./program.ts";
import type { TunableRow } from "./reading.ts";

/** OPNsense's own PHP over a root shell: for the undo alone, since the API can do the rest. */
export function opnSenseExecAt(shell: Shell): Exec {
  return execAt(shell, {
    product: "OPNsense",
    folder,
    programPath,
    program,
    bootHookPath,
    noShell: "The shell does not run a command of several words",
    fix: "use exec: ssh:root@…: switch on root logins by key in System > Settings > Administration",
  });
}

/** Kernel settings of versions whose API has none, as sysctl(8) says them. */
export function kernelTunables(
  shell: Shell,
  names: readonly string[],
): (signal?: AbortSignal) => Promise<readonly TunableRow[]> {
  return async (signal) => {
    const ran = await shell.run(["sysctl", "-e", ...names], signal === undefined ? {} : { signal });
    return ran.stdout.split("\n").flatMap((line) => {
      const [, tunable, value] = /^([\w.]+)=(.*)$/.exec(line) ?? [];
      return tunable === undefined ? [] : [{ uuid: "kernel", tunable, value: value?.trim(), descr: undefined }];
    });
  };
}
