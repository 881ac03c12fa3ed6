import type { RobotFault } from "../fakes/robot.ts";
import { fine, type Struck } from "./pf-faults.ts";

/** Everything is struck, or moves alone. */
export const robotFaults: readonly Omit<Struck<RobotFault | "wrong-password">, "times">[] = [
  { fault: "wrong-password", ends: "E582" },
  { fault: "rate-limit", ends: "E587" },
  { fault: "not-found", ends: "E589" },
  { fault: "html", ends: "E517" },
  { fault: "cut-off", ends: "E503" },
  { fault: "moves-used-up", ends: "E587" },
  { fault: "locked", ends: "E588" },
  { fault: "mac-failed", ends: "E588" },
  { fault: "cut-at-move", ends: "E503" },
  { fault: "answer-lost", ends: fine },
  { fault: "does-nothing", ends: "E512" },
];
