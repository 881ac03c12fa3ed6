import { judge } from "./suite.ts";
import { nftablesTarget } from "./target-nftables.ts";

await judge(nftablesTarget);
