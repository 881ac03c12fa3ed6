import { compareKeys } from "../base/order.ts";
import { quote } from "../base/quote.ts";
import { wrong } from "../base/wrong.ts";
import type { ContainerReport } from "./container-report.ts";
import { labelPrefix } from "./label-key.ts";
import { labelLimits } from "./label-limits.ts";
import { shown } from "./label-problem.ts";
import { type Refusal, refuse } from "./refusal.ts";

type Labels = Readonly<Record<string, string>>;

/**
 * The labels that count. Those that came with the image don't, whoever built it would open ports on machines that he
 * never saw; unless policy trusts the image, and then what the container says itself goes before.
 */
export function effectiveLabels(
  report: ContainerReport,
  trustImages: readonly string[],
): { readonly labels: Labels; readonly ignored: readonly Refusal[] } {
  const foreign = Object.entries(report.imageLabels)
    .filter(([key]) => key.startsWith(labelPrefix) && !Object.hasOwn(report.labels, key))
    .sort(([a], [b]) => compareKeys(a, b));
  if (trustImages.some((each) => isTrusted(report.image, each)))
    return { labels: { ...Object.fromEntries(foreign), ...report.labels }, ignored: [] };
  const what = wrong(
    "E910",
    `Label came with the image ${quote(report.image)}`,
    "write it on the container itself if it is meant, or name the image in policy.trust-images",
  );
  const ignored = foreign
    .slice(0, labelLimits.labels)
    .map(([key, value]) => refuse({ at: shown(key), text: shown(value) }, what));
  return { labels: report.labels, ignored };
}

/** The entry is the image as it is named, or its name without tag and digest. */
function isTrusted(image: string, entry: string): boolean {
  if (image === entry) return true;
  const rest = image.startsWith(entry) ? image.slice(entry.length) : "";
  // A colon with a slash behind it is a registry's port: `registry` does not stand for `registry:5000/web`.
  return /^(?::[^/@]+)?(?:@[^/]+)?$/.test(rest) && rest !== "";
}
