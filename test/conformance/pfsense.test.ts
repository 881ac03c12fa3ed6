import { judge } from "./suite.ts";
import { pfsenseTarget } from "./target-pfsense.ts";

await judge(pfsenseTarget);
