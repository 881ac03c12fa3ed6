import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { GatewayDesired } from "../../src/desired/desired.ts";
import { pfsense } from "../../src/drivers/pfsense/driver.ts";
import { textOf } from "../fakes/pfsense/config.ts";
import { foreignOf, showTables } from "../fakes/pfsense/device.ts";
import { type FakePfSense, fakePfSense } from "../fakes/pfsense/index.ts";
import { configureFilter } from "../fakes/pfsense/kernel.ts";
import type { Target } from "./bench.ts";
import { more, pfState, web } from "./pf-states.ts";

/** A pfSense on which somebody followed the article by hand, with names of their own. */
export function startArticle(second = 1000): Promise<FakePfSense> {
  const path = join(import.meta.dirname, "../fixtures/pfsense/pfsense-article-2vm.config.xml");
  // What is done by hand there is in the way of another layout: addresses with other lengths.
  const config = readFileSync(path, "utf8")
    .replaceAll(/<virtualip>[\s\S]*<\/virtualip>/g, "")
    .replaceAll(/<staticroutes>[\s\S]*<\/staticroutes>/g, "");
  return fakePfSense({ config, second });
}

export const pfsenseTarget: Target<GatewayDesired> = {
  name: "pfsense",
  states: [
    pfState({ kind: "pfsense" }),
    pfState({ kind: "pfsense", openings: web, policy: "{ between-hosts: open }" }),
    pfState({ kind: "pfsense", openings: more, policy: "{ between-hosts: open }" }),
    pfState({ kind: "pfsense", hosts: 3, openings: web, policy: "{ egress: closed }", layout: "compact" }),
    pfState({ kind: "pfsense", hosts: 1 }),
  ],
  missing: async () => undefined,
  async open() {
    const fake = await startArticle();
    const { device } = fake;
    return {
      kind: pfsense,
      way: fake.way(),
      foreign: async () => foreignOf(device),
      async meddle() {
        const rule = device.config.filter.rule.find(
          (each) => textOf(each, "descr")?.startsWith("sixgate: block") === true,
        );
        if (rule === undefined) throw new Error("nothing to meddle with");
        rule["disabled"] = "";
        configureFilter(device.kernel, device.config);
        showTables(device);
      },
      blind: (desired) => {
        const way = fake.way();
        const cut = async (): Promise<never> => {
          throw new Error("connection lost");
        };
        const { shell } = way;
        return [
          pfsense.at({ ...way, http: { ...way.http, send: cut } }, desired),
          pfsense.at(
            {
              ...way,
              http: { ...way.http, send: async () => ({ status: 500, text: "PHP Fatal error: out of memory" }) },
            },
            desired,
          ),
          pfsense.at(fake.way({ key: "another" }), desired),
          ...(shell === undefined
            ? []
            : [
                pfsense.at(
                  {
                    ...way,
                    shell: { ...shell, run: async () => ({ code: 1, stdout: "", stderr: "Permission denied" }) },
                  },
                  desired,
                ),
              ]),
        ];
      },
      close: () => fake.stop(),
    };
  },
};
