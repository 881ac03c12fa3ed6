import { leftovers } from "../fakes/firewall.ts";
import { stateOf } from "../fakes/opnsense/device.ts";
import { reloadFilter } from "../fakes/opnsense/kernel.ts";
import { opnsenseFaults } from "./pf-faults.ts";
import { judgeFaults } from "./pf-judge.ts";
import { withOpnSense } from "./pf-rig.ts";

judgeFaults({
  product: "opnsense",
  faults: opnsenseFaults,
  bench: withOpnSense,
  stateOf,
  leftovers,
  meddle({ config, kernel }) {
    const rule = config.lists.rule.find(({ fields }) => fields["description"] === "sixgate: block outside never");
    if (rule === undefined) throw new Error("nothing to meddle with");
    rule.fields["enabled"] = "0";
    reloadFilter(kernel, config);
  },
});
