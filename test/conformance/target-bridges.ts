import type { HypervisorDesired } from "../../src/desired/desired.ts";
import { ifupdownBridges } from "../../src/drivers/ifupdown/driver.ts";
import { inHolder, must } from "../holder.ts";
import { blindShells, type Target } from "./bench.ts";
import { layIfupdown2, missingIfupdown2 } from "./ifupdown2.ts";
import { foreignOn, plug, plugForeign } from "./links.ts";
import { layerOf } from "./states.ts";

const interfaces = "/etc/network/interfaces";
const foreignStanza = "auto storage0\niface storage0 inet manual\n\t# somebody's\n";

export const bridgesTarget: Target<HypervisorDesired> = {
  name: "ifupdown (hypervisor)",
  states: [
    layerOf("hypervisor", "pve"),
    layerOf("hypervisor", "pve", { lan: "10.10.10.5/24" }),
    layerOf("hypervisor", "pve", { main: "203.0.113.163", lan: "10.10.10.6/24" }),
  ],
  missing: missingIfupdown2,
  open: () =>
    inHolder("conformance-pve", async (holder) => {
      const { shell } = holder;
      await layIfupdown2(holder);
      await plug(shell, "enp1s0");
      await plug(shell, "storage0");
      await plugForeign(shell);
      await shell.write(interfaces, `auto lo\niface lo inet loopback\n\n${foreignStanza}`);
      return {
        kind: ifupdownBridges,
        way: shell,
        async foreign() {
          const text = (await shell.read(interfaces)) ?? "";
          return `${await foreignOn(shell)}${text.includes(foreignStanza) ? foreignStanza : text}`;
        },
        async meddle() {
          await must(shell, ["ip", "addr", "del", "203.0.113.162/32", "dev", "vmbr0"]);
        },
        blind: (desired) => blindShells(shell).map((each) => ifupdownBridges.at(each, desired)),
        close: () => holder.stop(),
      };
    }),
};
