import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * What takes longest, the longest first. Without the times of an earlier run vitest starts large files first, and these are
 * a few lines each: they would be begun last, and run on alone.
 */
const longest: readonly string[] = [
  "src/drivers/pfsense/driver.test.ts",
  "src/drivers/opnsense/driver.test.ts",
  "test/cli/opnsense-faults.test.ts",
  "test/cli/pfsense-faults.test.ts",
  "test/conformance/lane-pf-faults.test.ts",
  "test/conformance/lane-pfsense.test.ts",
  "test/conformance/lane-opnsense.test.ts",
  "test/cli/controller-pfsense.test.ts",
  "test/conformance/netplan.test.ts",
  "test/conformance/docker.test.ts",
  "test/conformance/ifupdown-bridges.test.ts",
  "test/conformance/ifupdown-guest.test.ts",
  "test/conformance/networkd.test.ts",
  "test/conformance/nftables.test.ts",
  "test/conformance/pfsense.test.ts",
];

function rank({ moduleId }: TestSpecification): number {
  const found = longest.findIndex((path) => moduleId.endsWith(`/${path}`));
  return found === -1 ? longest.length : found;
}

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}
