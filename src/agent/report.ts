import type { ContainerReport, DeclaredPort } from "../openings/container-report.ts";
import { labelLimits } from "../openings/label-limits.ts";
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
    ...labelsOf(sight.labels, image),
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

type Labels = Readonly<Record<string, string>>;

/**
 * All labels or none: without one of them another could ask for more. Where they are more than anybody reads there
 * stands one in their place that is refused, and says how many there are.
 */
function labelsOf(all: Labels, image: ImageLabels): { readonly labels: Labels; readonly imageLabels: Labels } {
  const entries = Object.entries(all);
  const length = entries.reduce((sum, [key, value]) => sum + key.length + value.length, 0);
  if (entries.length > labelLimits.labels || length > labelLimits.total || jsonBytes(all) > reportCaps.labelBytes) {
    const marker = `sixgate.(${entries.length} labels of ${length} characters)`;
    return { labels: { [marker]: "" }, imageLabels: {} };
  }
  const inherited = ([key, value]: readonly [string, string]): boolean => image === "unknown" || image[key] === value;
  return {
    labels: Object.fromEntries(entries.filter((entry) => !inherited(entry)).map(kept)),
    imageLabels: Object.fromEntries(entries.filter(inherited).map(kept)),
  };
}

/** What is too long is one character too long afterwards, too: it is refused by the same rule, and never read in part. */
function kept([key, value]: readonly [string, string]): readonly [string, string] {
  return [key.slice(0, reportCaps.labelKey), value.slice(0, reportCaps.label)];
}

function jsonBytes(labels: Labels): number {
  return Buffer.byteLength(JSON.stringify(labels));
}

/** Fewer than there are is narrower, never wider. */
function ports(all: readonly DeclaredPort[]): readonly DeclaredPort[] {
  return all.slice(0, reportCaps.ports);
}
