import { Failure } from "../base/failure.ts";
import type { Http } from "./http.ts";
import type { Shell } from "./shell.ts";

/**
 * A device that is spoken to by its API. `shell`, where there is one, is for what the API lacks: what must happen at
 * once, and what must happen when we are gone.
 */
export type ApiWay = {
  /** For messages: the device's own name and what it is reached by. */
  readonly name: string;
  readonly http: Http;
  readonly shell?: Shell;
  /** Comes in anew by every way there is; rejects when one of them fails. */
  reconnect(): Promise<void>;
};

/** How a driver gets at its device. */
export type Way = Shell | ApiWay;

export function isApiWay(way: Way): way is ApiWay {
  return "http" in way;
}

/** For drivers that know programs and files only. Throws a Failure with E556 where the device has an API instead. */
export function shellOf(way: Way): Shell {
  if (!isApiWay(way)) return way;
  if (way.shell !== undefined) return way.shell;
  throw new Failure(
    "E556",
    way.name,
    "This layer is driven by programs, and the device has no shell",
    "give it a reach, or exec: ssh:user@host",
  );
}

/** For drivers that speak to an API. Throws a Failure with E556 where the device has a shell alone. */
export function apiOf(way: Way): ApiWay {
  if (isApiWay(way)) return way;
  throw new Failure("E556", way.name, "This device is driven by its API", "add api: with its url and key");
}
