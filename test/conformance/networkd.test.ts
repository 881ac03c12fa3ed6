import { judge } from "./suite.ts";
import { networkdTarget } from "./target-guest.ts";

await judge(networkdTarget);
