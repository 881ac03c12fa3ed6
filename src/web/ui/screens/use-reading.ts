import { useEffect, useRef, useState } from "preact/hooks";
import { get, troublesOf } from "../store/ask.ts";
import { type LiveKind, onEvent, onReadAgain } from "../store/live.ts";
import type { Trouble } from "../store/views.ts";

export type Reading<T> = {
  readonly value: T | undefined;
  readonly troubles: readonly Trouble[];
  readonly again: () => void;
};

/** Milliseconds in which events are taken together: a host that starts tells of many containers. */
const together = 400;

/**
 * What is under a path, read anew when an event of such a kind comes and, with `every`, by the clock. What was read
 * stays while a later reading fails: the errors are shown beside it.
 */
export function useReading<T>(path: string, kinds: ReadonlySet<LiveKind>, every?: number): Reading<T> {
  const [state, put] = useState<{
    readonly path: string;
    readonly value?: T;
    readonly troubles?: readonly Trouble[];
  }>({ path });
  const again = useRef<() => void>(() => undefined);
  useEffect(() => {
    const stop = new AbortController();
    let reading = false;
    let wanted = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const read = async (): Promise<void> => {
      wanted = reading;
      if (reading) return;
      reading = true;
      try {
        const value = await get<T>(path, stop.signal);
        if (!stop.signal.aborted) put({ path, value });
      } catch (thrown) {
        const troubles = troublesOf(thrown);
        if (!stop.signal.aborted)
          put((before) => (before.path === path ? { ...before, troubles } : { path, troubles }));
      }
      reading = false;
      if (wanted && !stop.signal.aborted) soon();
    };
    const soon = (): void => {
      timer ??= setTimeout(() => {
        timer = undefined;
        void read();
      }, together);
    };
    again.current = () => void read();
    const forget = [
      onEvent(({ kind }) => {
        if (kinds.has(kind)) soon();
      }),
      onReadAgain(soon),
    ];
    const beat = every === undefined ? undefined : setInterval(soon, every);
    void read();
    return () => {
      stop.abort();
      for (const each of forget) each();
      clearTimeout(timer);
      clearInterval(beat);
    };
  }, [path, kinds, every]);
  const now = state.path === path ? state : undefined;
  return { value: now?.value, troubles: now?.troubles ?? [], again: () => again.current() };
}
