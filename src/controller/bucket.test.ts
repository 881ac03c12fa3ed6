import fc from "fast-check";
import { expect, test } from "vitest";
import { Bucket } from "./bucket.ts";

test("Bucket lets nobody have more than its burst and its rate, whatever the steps", () => {
  const rate = { burst: 100, perSecond: 10 };
  fc.assert(
    fc.property(fc.array(fc.record({ amount: fc.nat(50), pause: fc.nat(2_000) })), (steps) => {
      const bucket = new Bucket(rate, 0);
      let [now, taken] = [0, 0];
      for (const { amount, pause } of steps) {
        now += pause;
        // Who is in debt waits first, as connections do.
        now += bucket.wait(now);
        expect(bucket.wait(now)).toBe(0);
        bucket.take(amount, now);
        taken += amount;
        expect(taken - amount).toBeLessThanOrEqual(rate.burst + (now * rate.perSecond) / 1000 + 1e-6);
      }
    }),
  );
});

test("Bucket is full again after a rest, and no fuller", () => {
  const bucket = new Bucket({ burst: 10, perSecond: 10 }, 0);
  bucket.take(10, 0);
  expect(bucket.wait(0)).toBe(0);
  bucket.take(5, 0);
  expect(bucket.wait(0)).toBe(500);
  bucket.take(10, 3_600_000);
  expect(bucket.wait(3_600_000)).toBe(0);
  bucket.take(1, 3_600_000);
  expect(bucket.wait(3_600_000)).toBe(100);
});
