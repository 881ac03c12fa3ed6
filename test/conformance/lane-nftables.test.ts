import { judgeLane } from "./lane-suite.ts";
import { netlinkLaneTarget } from "./lane-targets.ts";

await judgeLane(netlinkLaneTarget);
