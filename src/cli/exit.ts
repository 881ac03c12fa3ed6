/** Exit codes of every verb. A script may rely on them. */
export const exit = {
  fine: 0,
  error: 1,
  /** `diff`, and `plan --detailed-exitcode`: something differs. */
  changes: 2,
  /** A test or a probe failed. */
  failed: 3,
  /** The guard refused: own access, too many deletes. */
  refused: 4,
  usage: 64,
} as const;

export type Exit = (typeof exit)[keyof typeof exit];
