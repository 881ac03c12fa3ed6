import type { ContainerReport, DeclaredPort } from "../openings/container-report.ts";
import { reportCaps } from "./frames.ts";
import type { View } from "./watch-state.ts";

/** The labels of an image that begin with `sixgate.`; `unknown` where the engine doesn't have it any more. */
export type ImageLabels = Readonly<Record<string, string>> | "unknown";

/**
 * What leaves the host of a container. A label counts as the container's own unless its image has the same key with
 * the same value: the engine doesn't keep them apart. Where the image can't be asked no label counts, as any of them
 * may be its author's.
 */
export function reportOf(
  view: View,
  image: ImageLabels,
  idOf: (nameOrId: string) => string | undefined,
): ContainerReport {
  const { sight, state } = view;
  const own = Object.entries(sight.labels);
  const inherited = (key: string, value: string): boolean => image === "unknown" || image[key] === value;
  return {
    id: sight.id,
    name: cut(sight.name, reportCaps.name),
    ...(sight.project === undefined ? {} : { project: cut(sight.project, reportCaps.name) }),
    ...(sight.service === undefined ? {} : { service: cut(sight.service, reportCaps.name) }),
    image: cut(sight.image, reportCaps.image),
    imageId: cut(sight.imageId, reportCaps.image),
    mode: sight.mode,
    ...(sight.sharesWith === undefined
      ? {}
      : { sharesWith: cut(idOf(sight.sharesWith) ?? sight.sharesWith, reportCaps.name) }),
    state,
    labels: capped(own.filter(([key, value]) => !inherited(key, value))),
    imageLabels: capped(own.filter(([key, value]) => inherited(key, value))),
    published: ports(sight.published),
    exposed: ports(sight.exposed),
    endpoints: view.endpoints
      .slice(0, reportCaps.endpoints)
      .map((each) => ({ ...each, network: cut(each.network, reportCaps.name) })),
  };
}

/** For people and for `%name`: the mark at the end of what was cut is in no real name, so it is never taken for one. */
function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}

/**
 * A label is sent whole or not at all: a part of one could ask for more than the whole. In the place of what is too
 * long stands a text that is no rule, so that it is refused, and seen to be.
 */
function capped(labels: readonly (readonly [string, string])[]): Readonly<Record<string, string>> {
  const kept: Record<string, string> = {};
  for (const [key, value] of labels.slice(0, reportCaps.labels - 1)) {
    kept[cut(key, reportCaps.labelKey)] =
      value.length <= reportCaps.label ? value : `(longer than ${reportCaps.label} characters)`;
  }
  const more = labels.length - Object.keys(kept).length;
  if (more > 0) kept[`sixgate.(${more} more keys)`] = "";
  return kept;
}

/** Fewer than there are is narrower, never wider. */
function ports(all: readonly DeclaredPort[]): readonly DeclaredPort[] {
  return all.slice(0, reportCaps.ports);
}
