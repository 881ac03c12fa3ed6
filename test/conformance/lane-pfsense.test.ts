import { pfsenseLaneTarget } from "./lane-pf.ts";
import { judgeLane } from "./lane-suite.ts";

await judgeLane(pfsenseLaneTarget);
