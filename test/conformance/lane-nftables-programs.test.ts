import { judgeLane } from "./lane-suite.ts";
import { programLaneTarget } from "./lane-targets.ts";

await judgeLane(programLaneTarget);
