import { judge } from "./suite.ts";
import { netplanTarget } from "./target-guest.ts";

await judge(netplanTarget);
