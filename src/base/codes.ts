/**
 * Every code that sixgate can print, with its title. A code never changes its meaning and is never given twice.
 * E0 machine and launcher, E1 fleet file (reading, schema), E2 fleet file (lints), E3 address plan and ledger,
 * E4 limits of a driver, E5 devices and drivers at work, E6 guard, E7 lab, E8 command line. W as E, warnings.
 */
export const codes = {
  E001: "Set-up failed",
  E002: "Program missing",
  E003: "Not root",
  E501: "Program did not end in time",
  E502: "Program can't be started",
  E503: "Device not reached",
  E504: "File on a device can't be read or written",
  E510: "Device changed since the plan",
  E511: "Device refused a change",
  E512: "Device not as planned after the change",
} as const satisfies Record<string, string>;

export type Code = keyof typeof codes;
