import type { Desired } from "../../src/desired/desired.ts";
import { isForeign, memoryDevice, replaceItems } from "../../src/drivers/memory/api.ts";
import { memory } from "../../src/drivers/memory/driver.ts";
import { localShell } from "../../src/runtime/shell-local.ts";
import type { Target } from "./bench.ts";
import { layerOf } from "./states.ts";

const web = "[{ to: vm1/web, ports: [443, 443/udp, ping], from: any }]";
const more =
  "[{ to: vm1/web, ports: [443], from: 2001:db8:aaaa::/48 }, { to: vm2/web, ports: [8000-8099], from: any }]";

export const memoryTarget: Target<Desired> = {
  name: "memory",
  states: [
    layerOf("gateway", "fw"),
    layerOf("gateway", "fw", { openings: web }),
    layerOf("gateway", "fw", { openings: more, policy: "{ between-hosts: open }" }),
    layerOf("gateway", "fw", { hosts: 3, openings: web }),
  ],
  missing: async () => undefined,
  async open() {
    const device = memoryDevice("memory", [{ key: "foreign table", value: "somebody's", lane: "structure" }]);
    const kind = memory(device);
    const shell = localShell();
    return {
      kind,
      way: shell,
      foreign: async () => JSON.stringify([...device.items.values()].filter(isForeign)),
      async meddle() {
        const items = new Map(device.items);
        const [ours] = [...items.values()].filter((item) => !isForeign(item));
        if (ours === undefined) throw new Error("nothing to meddle with");
        items.set(ours.key, { ...ours, value: "meddled" });
        replaceItems(device, items);
      },
      blind(desired) {
        const driver = kind.at(shell, desired);
        return [
          {
            ...driver,
            observe() {
              device.faults.add("read");
              return driver.observe();
            },
          },
        ];
      },
      close: async () => undefined,
    };
  },
};
