import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { GatewayDesired } from "../../src/desired/desired.ts";
import { opnsense } from "../../src/drivers/opnsense/driver.ts";
import { foreignOf } from "../fakes/opnsense/device.ts";
import { type FakeOpnSense, fakeOpnSense } from "../fakes/opnsense/index.ts";
import { reloadFilter } from "../fakes/opnsense/kernel.ts";
import type { Target } from "./bench.ts";
import { more, pfState, web } from "./pf-states.ts";

/**
 * An OPNsense on which somebody followed the article by hand, with names of their own, and set up the interfaces as the
 * fleet has them: those no API sets.
 */
export function startOpnSense(version?: string): Promise<FakeOpnSense> {
  const path = join(import.meta.dirname, "../fixtures/opnsense/opnsense-article-2vm.config.xml");
  const macs = new Map(pfState({ kind: "opnsense" }).network?.links.map(({ name, mac }) => [name, mac]));
  const config = readFileSync(path, "utf8")
    // What is done by hand there is in the way of another layout: addresses with other lengths.
    .replaceAll(/<vip [\s\S]*?<\/vip>/g, "")
    .replaceAll(/<route [\s\S]*?<\/route>/g, "")
    .replaceAll(/<ipaddrv6>[^<]*<\/ipaddrv6><subnetv6>\d+<\/subnetv6>/g, "")
    .replace("<descr>WAN6</descr>", `<descr>WAN6</descr><spoofmac>${macs.get("vtnet2") ?? ""}</spoofmac>`)
    // Somebody's rule is asked before ours otherwise.
    .replace("<sequence>1</sequence>", "<sequence>100</sequence>");
  return fakeOpnSense({ config, ...(version === undefined ? {} : { version }) });
}

export const opnsenseTarget: Target<GatewayDesired> = {
  name: "opnsense",
  states: [
    pfState({ kind: "opnsense" }),
    pfState({ kind: "opnsense", openings: web, policy: "{ between-hosts: open }" }),
    pfState({ kind: "opnsense", openings: more, policy: "{ between-hosts: open }" }),
    pfState({ kind: "opnsense", hosts: 3, openings: web, policy: "{ egress: closed }", layout: "compact" }),
    pfState({ kind: "opnsense", hosts: 1 }),
  ],
  missing: async () => undefined,
  async open() {
    const fake = await startOpnSense();
    const { device } = fake;
    return {
      kind: opnsense,
      way: fake.way(),
      foreign: async () => foreignOf(device),
      async meddle() {
        const rule = device.config.lists.rule.find(({ fields }) => fields["description"]?.startsWith("sixgate: block"));
        if (rule === undefined) throw new Error("nothing to meddle with");
        rule.fields["enabled"] = "0";
        reloadFilter(device.kernel, device.config);
      },
      blind: (desired) => {
        const way = fake.way();
        const cut = async (): Promise<never> => {
          throw new Error("connection lost");
        };
        return [
          opnsense.at({ ...way, http: { ...way.http, send: cut } }, desired),
          opnsense.at(
            { ...way, http: { ...way.http, send: async () => ({ status: 200, text: "<html>OPNsense</html>" }) } },
            desired,
          ),
          opnsense.at(fake.way({ secret: "another" }), desired),
        ];
      },
      close: () => fake.stop(),
    };
  },
};
