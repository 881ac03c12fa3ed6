import { expect, test } from "vitest";
import { withApi } from "../../test/web/bench.ts";
import { forgery, type Provenance } from "./same-origin.ts";

const own: Provenance = {
  method: "POST",
  scheme: "https",
  host: "fw:6464",
  site: "same-origin",
  origin: "https://fw:6464",
  contentType: "application/json",
  cookie: true,
};

test.each<readonly [name: string, change: Partial<Provenance>, forged: boolean]>([
  ["the page itself", {}, false],
  ["another site", { site: "cross-site", origin: "https://evil.example" }, true],
  ["a neighbour under the same domain", { site: "same-site" }, true],
  ["typed in, by a browser", { site: "none" }, true],
  ["an old browser, own origin", { site: undefined }, false],
  ["an old browser, another origin", { site: undefined, origin: "https://evil.example" }, true],
  ["an old browser, the same host in the clear", { site: undefined, origin: "http://fw:6464" }, true],
  ["an old browser, another port", { site: undefined, origin: "https://fw:6465" }, true],
  ["an opaque origin", { site: undefined, origin: "null" }, true],
  ["no host", { site: undefined, host: undefined }, true],
  ["nothing said, with a cookie", { site: undefined, origin: undefined }, true],
  ["a program with a token", { site: undefined, origin: undefined, cookie: false }, false],
  ["a token, but from another site", { site: "cross-site", cookie: false }, true],
  ["a form", { contentType: "application/x-www-form-urlencoded" }, true],
  ["text that looks like JSON", { contentType: "text/plain" }, true],
  ["JSON by suffix only", { contentType: "text/plain; application/json" }, true],
  ["no content type", { contentType: undefined }, true],
  ["JSON with a charset", { contentType: "application/json; charset=utf-8" }, false],
  ["a look from another site changes nothing", { method: "GET", site: "cross-site", contentType: undefined }, false],
  ["DELETE is no look", { method: "DELETE", site: "cross-site" }, true],
])("forgery: %s", (_, change, forged) => {
  expect(forgery({ ...own, ...change }) !== undefined).toBe(forged);
});

test("a session of the page: login, cookie, use, forged use, end", async () => {
  await withApi(async (stand) => {
    const login = await stand.ask("/api/v1/session", {
      method: "POST",
      token: undefined,
      body: { token: await stand.tokenOf("operator") },
      headers: { "sec-fetch-site": "same-origin" },
    });
    expect(login.status).toBe(200);
    const [set = ""] = (login.headers["set-cookie"] ?? []) as readonly string[];
    expect(set).toMatch(/^__Host-sixgate=[A-Za-z0-9_-]{43}; Path=\/; Secure; HttpOnly; SameSite=Strict$/);
    const cookie = set.split(";")[0] ?? "";
    const body = { to: "vm1/web", services: ["443"], from: ["any"], seconds: 60, reason: "test" };
    const post = (headers: Record<string, string>): ReturnType<typeof stand.ask> =>
      stand.ask("/api/v1/openings", { method: "POST", token: undefined, body, headers: { cookie, ...headers } });
    expect((await post({ "sec-fetch-site": "cross-site" })).status).toBe(403);
    expect((await post({ "sec-fetch-site": "same-site" })).status).toBe(403);
    expect((await post({})).status).toBe(403);
    expect((await post({ origin: "https://evil.example" })).status).toBe(403);
    expect((await post({ "sec-fetch-site": "same-origin", "content-type": "text/plain" })).status).toBe(403);
    expect(stand.controller.openings()).toHaveLength(0);
    expect((await post({ "sec-fetch-site": "same-origin" })).status).toBe(200);
    expect(stand.controller.openings()).toHaveLength(1);
    expect(stand.controller.openings()[0]?.askedBy.name).toBe("t1-operator");
    const who = await stand.ask("/api/v1/session", { token: undefined, headers: { cookie } });
    expect(JSON.parse(who.text)).toMatchObject({ name: "t1-operator", role: "operator" });
    const end = await stand.ask("/api/v1/session/end", {
      method: "POST",
      token: undefined,
      body: {},
      headers: { cookie, "sec-fetch-site": "same-origin" },
    });
    expect(String(end.headers["set-cookie"])).toContain("Max-Age=0");
    expect((await stand.ask("/api/v1/session", { token: undefined, headers: { cookie } })).status).toBe(401);
  });
});

test("a session ends when its token is revoked, and when nobody used it for 15 minutes", async () => {
  await withApi(async (stand) => {
    const cookieOf = async (token: string): Promise<string> => {
      const login = await stand.ask("/api/v1/session", { method: "POST", token: undefined, body: { token } });
      return String(login.headers["set-cookie"]).split(";")[0] ?? "";
    };
    const asWho = async (cookie: string): Promise<number> =>
      (await stand.ask("/api/v1/session", { token: undefined, headers: { cookie } })).status;
    const revoked = await cookieOf(await stand.tokenOf("viewer"));
    const idle = await cookieOf(stand.admin);
    expect(await asWho(revoked)).toBe(200);
    await stand.json("/api/v1/tokens/t1-viewer/revoke", { method: "POST", body: {} });
    expect(await asWho(revoked)).toBe(401);
    // Another token of that name does not bring it back.
    await stand.json("/api/v1/tokens", { method: "POST", body: { name: "t1-viewer", role: "admin" } });
    expect(await asWho(revoked)).toBe(401);
    stand.later(14 * 60_000);
    expect(await asWho(idle)).toBe(200);
    stand.later(15 * 60_000);
    expect(await asWho(idle)).toBe(401);
  });
});

test("a login ends the session that was there before: nobody is given one that somebody else knows", async () => {
  await withApi(async (stand) => {
    const login = (headers: Record<string, string>): ReturnType<typeof stand.ask> =>
      stand.ask("/api/v1/session", { method: "POST", token: undefined, body: { token: stand.admin }, headers });
    const first = String((await login({})).headers["set-cookie"]).split(";")[0] ?? "";
    const second = String((await login({ cookie: first })).headers["set-cookie"]).split(";")[0] ?? "";
    expect(second).not.toBe(first);
    expect((await stand.ask("/api/v1/session", { token: undefined, headers: { cookie: first } })).status).toBe(401);
    expect((await stand.ask("/api/v1/session", { token: undefined, headers: { cookie: second } })).status).toBe(200);
  });
});

test("a login link's code is good for one session of the same role", async () => {
  await withApi(async (stand) => {
    const token = await stand.tokenOf("viewer");
    const { code } = await stand.json("/api/v1/session/code", { method: "POST", body: {}, token });
    const login = (): ReturnType<typeof stand.ask> =>
      stand.ask("/api/v1/session", { method: "POST", token: undefined, body: { code } });
    const said = await login();
    expect(JSON.parse(said.text)).toMatchObject({ name: "t1-viewer", role: "viewer" });
    expect((await login()).status).toBe(401);
  });
});
