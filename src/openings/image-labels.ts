import { compareKeys } from "../base/order.ts";
import { quote } from "../base/quote.ts";
import { type Wrong, wrong } from "../base/wrong.ts";
import type { ContainerReport } from "./container-report.ts";
import { labelPrefix, readLabelKey } from "./label-key.ts";
import { labelLimits } from "./label-limits.ts";
import { shown } from "./label-problem.ts";
import { type Refusal, refuse } from "./refusal.ts";

type Labels = Readonly<Record<string, string>>;
type Entry = readonly [key: string, value: string];

/**
 * The labels that count. Those that came with the image open nothing: whoever built it would open ports on machines that
 * he never saw. But they may narrow. A label that the container repeats with the image's own value can't be told from
 * it, and somebody who wrote `sixgate.network` on the container must not get more for it. A protocol of the image's
 * neither narrows nor opens, it changes: the rule that it would be part of is refused. Where policy trusts the image
 * all of its labels count, and what the container says itself goes before.
 */
export function effectiveLabels(
  report: ContainerReport,
  trustImages: readonly string[],
): { readonly labels: Labels; readonly ignored: readonly Refusal[] } {
  const foreign = Object.entries(report.imageLabels)
    .filter(([key]) => key.startsWith(labelPrefix) && !Object.hasOwn(report.labels, key))
    .sort(([a], [b]) => compareKeys(a, b));
  if (trustImages.some((each) => isTrusted(report, each)))
    return { labels: { ...Object.fromEntries(foreign), ...report.labels }, ignored: [] };
  const narrowing = foreign.filter(([key]) => narrows(key, report.labels));
  const others = foreign.filter(([key]) => !narrows(key, report.labels));
  const changed = new Set(others.flatMap(([key]) => ruleChangedBy(key, report.labels) ?? []));
  const own = Object.entries(report.labels).filter(([key]) => !changed.has(ruleOf(key) ?? ""));
  return {
    labels: Object.fromEntries([...narrowing, ...own]),
    ignored: others.slice(0, labelLimits.labels).map((entry) => ignore(entry, report)),
  };
}

/** Whether a label can't but narrow: without it there would be more. A part of a rule only where the rule is the container's. */
function narrows(key: string, own: Labels): boolean {
  const read = readLabelKey(key);
  if (!("value" in read)) return false;
  const { value } = read;
  if (value.kind !== "rule") return value.kind !== "open";
  return ["from", "for", "until"].includes(value.field) && hasRule(own, value.name);
}

/** The container's own rule that a protocol of the image's would change. */
function ruleChangedBy(key: string, own: Labels): string | undefined {
  const name = key.endsWith(".proto") ? ruleOf(key) : undefined;
  return name !== undefined && hasRule(own, name) ? name : undefined;
}

function hasRule(own: Labels, name: string): boolean {
  return Object.hasOwn(own, `${labelPrefix}rule.${name}.ports`);
}

function ruleOf(key: string): string | undefined {
  const read = readLabelKey(key);
  return "value" in read && read.value.kind === "rule" ? read.value.name : undefined;
}

function ignore([key, value]: Entry, report: ContainerReport): Refusal {
  const changed = ruleChangedBy(key, report.labels);
  const part = changed === undefined ? "" : `, so it can't be told what rule ${changed} is to be`;
  const what: Wrong = wrong(
    "E910",
    `Label came with the image ${quote(report.image)}${part}`,
    changed === undefined
      ? "write it on the container itself if it is meant, or name the image in policy.trust-images"
      : "write the protocol behind each port, as 443/udp",
  );
  return refuse({ at: shown(key), text: shown(value) }, what);
}

/** The entry is the image as it is named, its name without tag and digest, or its id. */
function isTrusted({ image, imageId }: ContainerReport, entry: string): boolean {
  if (image === entry || imageId === entry) return true;
  const rest = image.startsWith(entry) ? image.slice(entry.length) : "";
  // A colon with a slash behind it is a registry's port: `registry` does not stand for `registry:5000/web`.
  return /^(?::[^/@]+)?(?:@[^/]+)?$/.test(rest) && rest !== "";
}
