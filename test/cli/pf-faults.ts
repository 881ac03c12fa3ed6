import type { Fault as OpnSenseFault } from "../fakes/opnsense/device.ts";
import type { Fault as PfSenseFault } from "../fakes/pfsense/device.ts";

/** What a fault does to `sixgate apply`: it goes through, or ends with one error and the device as it was. */
export type Struck<Fault extends string> = { readonly fault: Fault; readonly times: number; readonly ends: string };

export const fine = "goes through";
const forever = Number.POSITIVE_INFINITY;

export const pfsenseFaults: readonly Struck<PfSenseFault>[] = [
  // The alias is lost before the rule that names it is written, and the device refuses that.
  { fault: "lost-update", times: 1, ends: "E511" },
  { fault: "index-shift", times: 1, ends: fine },
  { fault: "not-loaded", times: forever, ends: "E512" },
  { fault: "load-fails", times: forever, ends: "E512" },
  { fault: "queue-full", times: 2, ends: fine },
  { fault: "write-locked", times: 2, ends: fine },
  { fault: "fatal-read", times: 1, ends: "E517" },
  { fault: "fatal-write", times: 1, ends: "E517" },
  { fault: "slow", times: forever, ends: fine },
  { fault: "stalled", times: 1, ends: fine },
  { fault: "answer-lost", times: 1, ends: "E503" },
  { fault: "no-package", times: forever, ends: "E560" },
  { fault: "named-by-descr", times: forever, ends: fine },
  { fault: "no-rights", times: forever, ends: "E553" },
  // PHP ends with 255, as ssh does when it does not get through: they are told apart.
  { fault: "php-fails", times: 1, ends: "E511" },
  { fault: "shell-lost", times: forever, ends: "E503" },
];

export const opnsenseFaults: readonly Struck<OpnSenseFault>[] = [
  { fault: "write-fails", times: 1, ends: "E511" },
  { fault: "rules-not-loaded", times: forever, ends: "E512" },
  { fault: "tables-not-loaded", times: forever, ends: "E512" },
  { fault: "routes-not-set", times: forever, ends: fine },
  { fault: "configd-down", times: forever, ends: "E511" },
  { fault: "fatal-read", times: 1, ends: "E517" },
  { fault: "fatal-write", times: 1, ends: "E517" },
  // As with pfSense's lost update.
  { fault: "somebody-removes", times: 1, ends: "E511" },
  { fault: "slow", times: forever, ends: fine },
  { fault: "stalled", times: 1, ends: fine },
  { fault: "answer-lost", times: 1, ends: "E503" },
  { fault: "no-rights", times: forever, ends: "E553" },
  // PHP ends with 255, as ssh does when it does not get through: they are told apart.
  { fault: "php-fails", times: 1, ends: "E511" },
  { fault: "shell-lost", times: forever, ends: "E503" },
];
