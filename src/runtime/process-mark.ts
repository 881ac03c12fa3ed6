import { readFileSync } from "node:fs";

/** A process of one machine, told from any other that has its number before or after it. */
export type ProcessMark = { readonly boot: string; readonly pid: number; readonly started: string };

/** This process. */
export function ownMark(): ProcessMark {
  return { boot: bootId(), pid: process.pid, started: startOf(process.pid) ?? "" };
}

/** Whether that process can't run any more: it ran before this machine's last start, or its number is nobody's or another's. */
export function hasEnded(mark: ProcessMark): boolean {
  if (mark.boot !== bootId()) return true;
  return startOf(mark.pid) !== mark.started;
}

function bootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
}

/** Clock ticks between the machine's start and the process's (proc_pid_stat(5), field 22); undefined where there is none. */
function startOf(pid: number): string | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return undefined;
  }
  // The name in brackets may hold anything; fields are counted from behind it.
  return text.slice(text.lastIndexOf(")") + 2).split(" ")[19];
}
