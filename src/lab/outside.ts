import type { ChildProcess } from "node:child_process";
import { Failure } from "../base/failure.ts";
import { printable } from "../base/printable.ts";
import { openPageDoor } from "./page-door.ts";

// A lab without root is made by a process inside a user namespace, which can't get back to the network that its person's
// browser is in. Its parent is there still: it is asked over the channel that Node has to a child.

type Asked = { readonly doorTo: { readonly name: string; readonly pid: number } };
type Answer = { readonly url: string } | { readonly failed: string };

/** Outside: answers what the child inside asks for. */
export function answerInside(child: ChildProcess): void {
  child.on("message", (message) => {
    const { doorTo } = message as Asked;
    void openPageDoor({ name: doorTo.name, pid: doorTo.pid, user: "entered" })
      .then((url): Answer => ({ url }))
      .catch((cause: unknown): Answer => ({ failed: cause instanceof Error ? cause.message : String(cause) }))
      .then((answer) => {
        if (child.connected) child.send(answer);
      });
  });
}

/** Inside: {@link openPageDoor}, by the process outside. Rejects with E718. */
export async function doorFromOutside(doorTo: Asked["doorTo"]): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<Answer>();
  const gone = (): void => resolve({ failed: "Nobody is outside to ask" });
  // Only while it waits: a listener keeps the process alive.
  process.once("message", resolve).once("disconnect", gone);
  if (process.send === undefined) gone();
  else process.send({ doorTo } satisfies Asked);
  const answer = await promise;
  process.off("message", resolve).off("disconnect", gone);
  if ("url" in answer) return answer.url;
  throw new Failure("E718", doorTo.name, printable(answer.failed), "look at `sixgate doctor`");
}
