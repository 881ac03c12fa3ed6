import { judgeLane } from "./lane-suite.ts";
import { memoryLaneTarget } from "./lane-targets.ts";

await judgeLane(memoryLaneTarget);
