import { readFileSync } from "node:fs";
import { request } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { places } from "../../src/web/places.ts";
import { answerOf, goOn } from "./run.ts";
import { labName } from "./session.ts";

/** A link to the page of the running lab that signs in once. */
export async function loginLink(): Promise<string> {
  return ((await answerOf(["page", "--lab", labName])) as { link: string }).link;
}

/** Where containers of these names are open. */
export async function addressesOf(containers: readonly string[]): Promise<readonly string[]> {
  const told = (await answerOf(["openings", "--lab", labName])) as {
    readonly entries: readonly { readonly to: string; readonly container?: { readonly name: string } }[];
  };
  return containers.map((name) => {
    const found = told.entries.find(({ container }) => container?.name === name);
    if (found === undefined) throw new Error(`Nothing is open at ${name}`);
    return found.to;
  });
}

/** The process that the gateway of examples/lab.yaml is: its files are seen through it. */
export async function gatewayPid(): Promise<number> {
  const { state } = (await answerOf(["lab", "status", "--name", labName])) as {
    state: { nodes: readonly { name: string; pid: number }[] };
  };
  const gateway = state.nodes.find(({ name }) => name === "fw");
  if (gateway === undefined) throw new Error("The lab has no node fw");
  return gateway.pid;
}

/** Waits until what a container asks for was decided: it is among the openings or the refusals. 20 s at most. */
export async function until(container: string, pid: number): Promise<void> {
  const end = performance.now() + 20_000;
  while (performance.now() < end) {
    goOn();
    const told = [await ask(pid, "/api/v1/openings"), await ask(pid, "/api/v1/refusals")];
    if (told.some((text) => text.includes(`"name":"${container}"`))) return;
    await pause(100);
  }
  throw new Error(`Nobody decided about ${container} within 20 s`);
}

/** Asked as root does, on the controller's socket. */
async function ask(pid: number, path: string): Promise<string> {
  const root = `/proc/${pid}/root`;
  const token = readFileSync(`${root}${places.token}`, "utf8").trim();
  const headers = { authorization: `Bearer ${token}` };
  const asked = request({ socketPath: `${root}${places.socket}`, path, headers });
  return new Promise<string>((resolve, reject) => {
    asked.on("error", reject);
    asked.on("response", (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.on("end", () => (response.statusCode === 200 ? resolve(text) : reject(new Error(text))));
    });
    asked.end();
  });
}
