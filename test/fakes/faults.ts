/**
 * What a device does wrong, and how often yet: a fault is set with a number of times, strikes at every place that asks
 * for it, and is gone when it is used up. `Infinity` stays.
 */
export type Faults<Name extends string> = {
  set(name: Name, times?: number): void;
  /** Whether it strikes now; once used up it does not. */
  strikes(name: Name): boolean;
  is(name: Name): boolean;
  clear(): void;
};

export function faults<Name extends string>(): Faults<Name> {
  const left = new Map<Name, number>();
  return {
    set: (name, times = 1) => void left.set(name, times),
    strikes(name) {
      const times = left.get(name) ?? 0;
      if (times <= 0) return false;
      left.set(name, times - 1);
      return true;
    },
    is: (name) => (left.get(name) ?? 0) > 0,
    clear: () => left.clear(),
  };
}
