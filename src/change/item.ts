/** Plain data, so that states can be printed, stored and compared. */
export type Value = string | number | boolean | null | readonly Value[] | { readonly [key: string]: Value };

/**
 * One thing on a device that sixgate owns: an address, a route, a file, a chain, an element. Two states are equal
 * when they have the same keys with the same values; a driver's `normalize` gives the form its `observe` reports.
 */
export type Item = {
  /** Unique on the device and stable: `route 2001:db8::/64`, `file /etc/sysctl.d/60-sixgate.conf`. */
  readonly key: string;
  readonly value: Value;
  /** Structure is rare, ordered and guarded; members are hot, idempotent and batched. */
  readonly lane: "structure" | "members";
};
