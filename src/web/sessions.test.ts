import { expect, test } from "vitest";
import { instant } from "../base/time.ts";
import { FailedLogins } from "./failed-logins.ts";
import { Sessions } from "./sessions.ts";

const bearer = { person: { name: "admin", role: "admin" }, mark: "m" } as const;
const minute = 60_000;

function clock(): { now: () => ReturnType<typeof instant>; later: (ms: number) => void } {
  let at = 1_000_000;
  return { now: () => instant(at), later: (ms) => (at += ms) };
}

test("Sessions end after 15 minutes without use, and after 12 hours with it", () => {
  const { now, later } = clock();
  const sessions = new Sessions(now);
  const secret = sessions.begin(bearer);
  later(15 * minute - 1);
  expect(sessions.bearerOf(secret)).toBe(bearer);
  later(15 * minute);
  expect(sessions.lives(secret)).toBe(false);
  expect(sessions.bearerOf(secret)).toBeUndefined();
  const used = sessions.begin(bearer);
  for (let i = 0; i < 71; i++) {
    later(10 * minute);
    expect(sessions.bearerOf(used)).toBe(bearer);
  }
  later(10 * minute);
  expect(sessions.bearerOf(used)).toBeUndefined();
});

test("Sessions: asking whether one lives is no use of it", () => {
  const { now, later } = clock();
  const sessions = new Sessions(now);
  const secret = sessions.begin(bearer);
  later(10 * minute);
  expect(sessions.lives(secret)).toBe(true);
  later(10 * minute);
  expect(sessions.lives(secret)).toBe(false);
});

test("Sessions hold a thousand, and let the one that was idle longest go", () => {
  const sessions = new Sessions(clock().now);
  const secrets = Array.from({ length: 1000 }, () => sessions.begin(bearer));
  sessions.bearerOf(secrets[0] ?? "");
  const newest = sessions.begin(bearer);
  expect(sessions.bearerOf(secrets[1] ?? "")).toBeUndefined();
  expect(sessions.bearerOf(secrets[0] ?? "")).toBe(bearer);
  expect(sessions.bearerOf(newest)).toBe(bearer);
});

test("Sessions: a code begins one session, within five minutes", () => {
  const { now, later } = clock();
  const sessions = new Sessions(now);
  const code = sessions.code(bearer);
  expect(sessions.redeem(code)).toBe(bearer);
  expect(sessions.redeem(code)).toBeUndefined();
  const late = sessions.code(bearer);
  later(5 * minute);
  expect(sessions.redeem(late)).toBeUndefined();
  expect(sessions.bearerOf(code)).toBeUndefined();
});

test("FailedLogins let ten failures pass, then one each six seconds", () => {
  const { now, later } = clock();
  const logins = new FailedLogins(now);
  for (let i = 0; i < 10; i++) {
    expect(logins.wait("192.0.2.1")).toBe(0);
    logins.failed("192.0.2.1");
  }
  expect(logins.wait("192.0.2.1")).toBe(6);
  expect(logins.wait("192.0.2.2")).toBe(0);
  later(6000);
  expect(logins.wait("192.0.2.1")).toBe(0);
  logins.failed("192.0.2.1");
  expect(logins.wait("192.0.2.1")).toBe(6);
  later(-3_600_000);
  expect(logins.wait("192.0.2.1")).toBe(6);
});

test("FailedLogins take a /64 for one source, and a mapped IPv4 address for its own", () => {
  const logins = new FailedLogins(clock().now);
  for (let i = 0; i < 10; i++) logins.failed(`2001:db8::${i.toString(16)}`);
  expect(logins.wait("2001:db8::ffff")).toBeGreaterThan(0);
  expect(logins.wait("2001:db8:0:1::1")).toBe(0);
  for (let i = 0; i < 10; i++) logins.failed("::ffff:192.0.2.1");
  expect(logins.wait("::ffff:192.0.2.1")).toBeGreaterThan(0);
  expect(logins.wait("::ffff:192.0.2.2")).toBe(0);
});

test("FailedLogins remember 4,096 sources and no more", () => {
  const logins = new FailedLogins(clock().now);
  for (let i = 0; i < 10_000; i++) logins.failed(`2001:db8:${(i >> 8).toString(16)}:${(i & 255).toString(16)}::1`);
  expect(logins.size).toBe(4096);
});
