import { judge } from "./suite.ts";
import { memoryTarget } from "./target-memory.ts";

await judge(memoryTarget);
