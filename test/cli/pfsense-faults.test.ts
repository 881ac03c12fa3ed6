import { leftovers } from "../fakes/firewall.ts";
import { textOf } from "../fakes/pfsense/config.ts";
import { stateOf } from "../fakes/pfsense/device.ts";
import { configureFilter } from "../fakes/pfsense/kernel.ts";
import { pfsenseFaults } from "./pf-faults.ts";
import { judgeFaults } from "./pf-judge.ts";
import { withPfSense } from "./pf-rig.ts";

judgeFaults({
  product: "pfsense",
  faults: pfsenseFaults,
  bench: withPfSense,
  stateOf,
  leftovers,
  meddle({ config, kernel }) {
    const rule = config.filter.rule.find((each) => textOf(each, "descr") === "sixgate: block outside never");
    if (rule === undefined) throw new Error("nothing to meddle with");
    rule["disabled"] = "";
    configureFilter(kernel, config);
  },
});
