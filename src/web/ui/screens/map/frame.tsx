import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import type { Goes, Graph } from "../../../picture/graph.ts";
import { layOut, pathsThrough, type Room } from "../../../picture/layout.ts";
import { Picture } from "./picture.tsx";

/** The picture in the room that the screen has for it. Bigger than some screens: it scrolls by itself, by keyboard too. */
export function MapFrame({ graph, onGo }: { readonly graph: Graph; readonly onGo: (goes: Goes) => void }): JSX.Element {
  const frame = useRef<HTMLDivElement>(null);
  const room = useSignal<Room | undefined>(undefined);
  const pointed = useSignal<string | undefined>(undefined);
  useLayoutEffect(() => {
    const { current } = frame;
    if (current === null) return undefined;
    const measure = (): void => {
      const { clientWidth: width, clientHeight: height } = current;
      if (room.peek()?.width !== width || room.peek()?.height !== height) room.value = { width, height };
    };
    measure();
    const watching = new ResizeObserver(measure);
    watching.observe(current);
    return () => watching.disconnect();
  }, [room]);
  const layout = useMemo(() => (room.value === undefined ? undefined : layOut(graph, room.value)), [graph, room.value]);
  const lit = pointed.value === undefined ? undefined : pathsThrough(pointed.value, graph.edges);
  return (
    <div class="map-frame" ref={frame} tabIndex={0} role="region" aria-label="Map, scrolls">
      {layout === undefined ? null : (
        <Picture
          layout={layout}
          lit={lit}
          onPoint={(id) => (pointed.value = id)}
          onGo={(goes) => {
            pointed.value = undefined;
            onGo(goes);
          }}
        />
      )}
    </div>
  );
}
