import { afterAll, beforeAll, describe } from "vitest";
import { bringUp, isRoot, type LabUnderTest } from "./harness.ts";
import { packetTruth } from "./truth.ts";

/** The same truth under other readings of the plan, other deliveries, other policies: containers are stand-ins. */
const variants: readonly { readonly name: string; readonly title: string; readonly edit: (text: string) => string }[] =
  [
    {
      name: "test-literal",
      title: "link /76 and a route per network, the article's other reading",
      edit: (text) =>
        text.replace(/^provider:/m, "plan: { host: /76, link: /76, network: /80, routes: network }\nprovider:"),
    },
    {
      name: "test-routes",
      title: "link /80 and a route per network",
      edit: (text) =>
        text.replace(/^provider:/m, "plan: { host: /76, link: /80, network: /80, routes: network }\nprovider:"),
    },
    {
      name: "test-compact",
      title: "one address of the gateway among the hosts, link-local next hops",
      edit: (text) => text.replace(/^provider:/m, "plan: { layout: compact }\nprovider:"),
    },
    {
      name: "test-onlink",
      title: "a provider that looks for each address on the link",
      edit: (text) => text.replace("delivery: routed", "delivery: on-link"),
    },
    {
      name: "test-closed",
      title: "closed between hosts, and ifupdown in every machine",
      edit: (text) =>
        text
          .replace("between-hosts: open", "between-hosts: closed")
          .replace(/^ {2}on: pve$/m, "  on: pve\n  network: ifupdown")
          .replaceAll(/^ {4}on: pve$/gm, "    on: pve\n    network: ifupdown"),
    },
  ];

for (const { name, title, edit } of variants) {
  describe.skipIf(!isRoot)(`lab: ${title} (needs root)`, () => {
    let lab: LabUnderTest;
    beforeAll(async () => {
      lab = await bringUp({ name, file: "examples/lab.yaml", containers: "stand-in", edit });
    });
    afterAll(() => lab?.down());
    packetTruth(() => lab);
  });
}
