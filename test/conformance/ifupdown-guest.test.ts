import { judge } from "./suite.ts";
import { ifupdownGuestTarget } from "./target-guest.ts";

await judge(ifupdownGuestTarget);
