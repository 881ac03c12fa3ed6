import type { HttpAnswer, HttpRequest } from "../../src/runtime/http.ts";
import type { ApiWay } from "../../src/runtime/way.ts";

/** How many calls a process may still make. None left, it is dead: nothing that it would do gets out any more. */
export type Life = { left: number };

/** What becomes of a request instead of its answer; `pass` sends it. */
export type Strike = (request: HttpRequest, pass: () => Promise<HttpAnswer>) => Promise<HttpAnswer>;

/** A way of a process that dies after so many calls, of its API and its shell together. */
export function mortal(way: ApiWay, life: Life): ApiWay {
  const live = <Args extends readonly unknown[], Answer>(call: (...args: Args) => Promise<Answer>) => {
    return async (...args: Args): Promise<Answer> => {
      if (life.left <= 0) throw new Error("died");
      life.left--;
      return call(...args);
    };
  };
  const { http, shell } = way;
  return {
    ...way,
    http: { ...http, send: live((request) => http.send(request)) },
    reconnect: live(() => way.reconnect()),
    ...(shell === undefined
      ? {}
      : {
          shell: {
            name: shell.name,
            run: live((argv, options) => shell.run(argv, options)),
            read: live((path) => shell.read(path)),
            list: live((folder) => shell.list(folder)),
            write: live((path, text, mode) => shell.write(path, text, mode)),
            remove: live((path) => shell.remove(path)),
          },
        }),
  };
}

/** The same way whose requests to the API go through `strike`. */
export function struck(way: ApiWay, strike: Strike): ApiWay {
  const { http } = way;
  return { ...way, http: { ...http, send: (request) => strike(request, () => http.send(request)) } };
}
