import { readFileSync } from "node:fs";
import { request } from "node:http";
import { places } from "../../src/web/places.ts";

/** The running lab, as far as the page needs it. */
export type Lab = {
  /** Of the gateway's node: its network is the one that the page is served in. */
  readonly pid: number;
  /** Where its controller serves the page. */
  readonly url: string;
};

/** Of `sixgate lab status --json`. The gateway of examples/lab.yaml. */
export function askLab(status: string): Lab {
  const { state } = JSON.parse(status) as { state: { nodes: readonly { name: string; pid: number }[] } };
  const gateway = state.nodes.find(({ name }) => name === "fw");
  if (gateway === undefined) throw new Error("The lab has no node fw");
  return { pid: gateway.pid, url: "https://10.10.10.2:6465" };
}

/** A code that begins one session within five minutes; asked for as root does, on the controller's socket. */
export async function loginCode({ pid }: Lab): Promise<string> {
  const root = `/proc/${pid}/root`;
  const token = readFileSync(`${root}${places.token}`, "utf8").trim();
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const asked = request({
    socketPath: `${root}${places.socket}`,
    method: "POST",
    path: "/api/v1/session/code",
    headers,
  });
  const answer = await new Promise<string>((resolve, reject) => {
    asked.on("error", reject);
    asked.on("response", (response) => {
      let text = "";
      response.on("data", (chunk: Buffer) => (text += chunk.toString()));
      response.on("end", () => (response.statusCode === 200 ? resolve(text) : reject(new Error(text))));
    });
    asked.end("{}");
  });
  return (JSON.parse(answer) as { code: string }).code;
}
