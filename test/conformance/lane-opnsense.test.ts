import { opnsenseLaneTarget } from "./lane-pf.ts";
import { judgeLane } from "./lane-suite.ts";

await judgeLane(opnsenseLaneTarget);
