import { Failure } from "../base/failure.ts";
import { instant } from "../base/time.ts";
import type { OpeningView } from "../controller/controller.ts";
import { readPorts } from "../openings/ports.ts";
import { openDoor } from "./door.ts";
import type { DoorOptions } from "./door-options.ts";
import { type Exit, exit } from "./exit.ts";
import { lengthOption } from "./length-option.ts";
import { openingHeading, openingRow } from "./opening-row.ts";
import { remoteAt } from "./remote.ts";
import type { Terminal } from "./terminal.ts";

export type OpenOptions = DoorOptions & {
  readonly from: string;
  readonly for: string;
  readonly because: string;
};

/** `sixgate open`: what a person opens ends by itself, in the gateway's kernel. Ends when it is in force. */
export async function open(
  target: string,
  ports: readonly string[],
  options: OpenOptions,
  terminal: Terminal,
): Promise<Exit> {
  const services = ports.flatMap(splitList);
  for (const service of services) checkPort(service);
  const length = lengthOption(options.for, "30m, 2h or 7d");
  const remote = remoteAt(await openDoor(options));
  const body = { to: target, services, from: splitList(options.from), seconds: length, reason: options.because };
  const opened = await remote.post<{ readonly entries: readonly OpeningView[] }>("opened/1", "/api/v1/openings", body);
  terminal.table(
    openingHeading,
    opened.entries.map((each) => openingRow(each, instant(Date.now()))),
  );
  terminal.result(opened);
  return exit.fine;
}

/** Before anything is sent: a slip is said in the words of the call. */
function checkPort(text: string): void {
  const read = readPorts(text);
  if (!("value" in read)) throw new Failure("E802", "ports", read.text, read.fix);
  if (read.value.kind === "published")
    throw new Failure("E802", "ports", "Only labels open what is published", "name the ports");
}

function splitList(text: string): readonly string[] {
  return text
    .split(",")
    .map((each) => each.trim())
    .filter((each) => each !== "");
}
