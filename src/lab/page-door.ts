import { Failure } from "../base/failure.ts";
import { namespaceShell } from "../runtime/shell-namespace.ts";
import { sourceBeside } from "../runtime/source-beside.ts";
import { places } from "../web/places.ts";
import { startDaemon } from "./daemon.ts";

/** A lab's gateway as whoever opens the door sees it. `user`: from outside the user namespace of a lab without root. */
export type PageDoorTo = { readonly name: string; readonly pid: number; readonly user?: "entered" };

const doorName = "page-door";
const portFile = `/run/sixgate/${doorName}.port`;
const program = sourceBeside(import.meta.url, "page-forwarder");

/**
 * Opens a way from this machine's loopback, and from nowhere else, to the API and page of the controller in that node,
 * and gives it as a browser names it: `http://127.0.0.1:PORT`, any port that is free. It is a process of the node, so it
 * ends with it. Rejects with E718.
 */
export async function openPageDoor(to: PageDoorTo): Promise<string> {
  const shell = namespaceShell({ ...to, network: "caller" });
  await shell.remove(portFile);
  await startDaemon(
    { name: to.name, pid: to.pid, shell },
    { name: doorName, argv: [process.execPath, program, places.socket, portFile], ready: portFile },
  );
  const port = (await shell.read(portFile))?.trim() ?? "";
  if (/^[0-9]{1,5}$/.test(port)) return `http://127.0.0.1:${port}`;
  throw new Failure("E718", shell.name, "The door to the page told no port", "`sixgate lab down`, then try again");
}
