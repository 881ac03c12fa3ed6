import { judge } from "./suite.ts";
import { bridgesTarget } from "./target-bridges.ts";

await judge(bridgesTarget);
