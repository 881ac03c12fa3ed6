import { expect, test } from "vitest";
import { type Asking, type Stand, send, withApi } from "../../test/web/bench.ts";
import { opening, refusal, vm1 } from "../../test/web/views.ts";
import { Failure } from "../base/failure.ts";
import { instant } from "../base/time.ts";
import { prefix } from "../net/prefix.ts";
import { securityHeaders } from "./headers.ts";

const wish = { to: "vm1/web", services: ["443"], from: ["any"], seconds: 60, reason: "test" };
const post = (body: unknown, more: Asking = {}): Asking => ({ method: "POST", body, ...more });

test("every answer has the security headers, whatever became of the request", async () => {
  await withApi(async (stand) => {
    const answers = await Promise.all([
      stand.ask("/healthz", { token: undefined }),
      stand.ask("/api/v1/status"),
      stand.ask("/api/v1/status", { token: "wrong" }),
      stand.ask("/nothing"),
      stand.ask("/api/v1/events", { hangUp: true }),
      stand.ask("/api/v1/openings", post("x".repeat(70_000))),
      stand.ask("/api/v1/openings", post({})),
      stand.ask("/metrics"),
      stand.ask("/api/v1/journal/export"),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 401, 404, 200, 413, 400, 200, 200]);
    for (const { headers } of answers) expect(headers).toMatchObject(securityHeaders);
    const policy = securityHeaders["content-security-policy"] ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe|\*|data:|https?:/);
  });
});

test("GET /healthz says ok and nothing else", async () => {
  await withApi(async (stand) => {
    const said = await stand.ask("/healthz", { token: undefined });
    expect(said.text).toBe("ok\n");
    expect(said.headers).not.toHaveProperty("server");
    expect(said.headers).not.toHaveProperty("x-powered-by");
  });
});

const hostile = "<script>alert(1)</script>\"'`\u202e\u0000\u001b[2J\r\nid: 9\n\n\ud800😀";

test("names that hosts and containers say arrive as data, to the last character", async () => {
  await withApi(async (stand) => {
    const container = { id: "a".repeat(64), name: hostile };
    stand.controller.scene.openings.set("vm1", [
      opening("x", { container, askedBy: { kind: "label", name: hostile, text: hostile } }),
    ]);
    stand.controller.scene.refusals.set("vm1", [refusal({ text: hostile, why: hostile, container })]);
    const said = await stand.ask("/api/v1/openings");
    expect(said.headers["content-type"]).toBe("application/json");
    // A lone surrogate has no form in UTF-8; JSON's escape carries it.
    expect(JSON.parse(said.text)).toMatchObject({ entries: [{ container, askedBy: { text: hostile } }] });
    expect(JSON.parse((await stand.ask("/api/v1/refusals")).text)).toMatchObject({
      entries: [{ text: hostile, container }],
    });
    expect((await stand.json(`/api/v1/openings?container=${encodeURIComponent("<script>")}`))["entries"]).toEqual([]);
    await stand.controller.note({ name: hostile, role: "admin" }, hostile, { [hostile]: hostile });
    const lines = (await stand.ask("/api/v1/journal/export")).text.trimEnd().split("\n");
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({ who: hostile, detail: { [hostile]: hostile } });
  });
});

test("what a request names comes back encoded in errors, as JSON", async () => {
  await withApi(async (stand) => {
    const said = await stand.ask(`/api/v1/agents/${encodeURIComponent("<b>\u202e")}/invite`, post({}));
    expect(said.status).toBe(404);
    expect(said.headers["content-type"]).toBe("application/json");
    expect(JSON.parse(said.text).errors[0].text).toContain("<b>");
  });
});

test.each<readonly [name: string, body: unknown, at: string]>([
  ["nothing", {}, "body.to"],
  ["an unknown key", { ...wish, forever: true }, "body"],
  ["a list", [], "body"],
  ["null", null, "body"],
  ["no services", { ...wish, services: [] }, "body.services"],
  ["a service that is none", { ...wish, services: ["443", "44 3"] }, "body.services.1"],
  ["too many services", { ...wish, services: Array.from({ length: 65 }, (_, i) => String(i + 1)) }, "body.services"],
  ["a number in the place of a service", { ...wish, services: [443] }, "body.services.0"],
  ["published", { ...wish, services: ["published"] }, "body.services.0"],
  ["a container for a source", { ...wish, from: ["%web"] }, "body.from.0"],
  ["port 0", { ...wish, services: ["0"] }, "body.services.0"],
  ["no source", { ...wish, from: [] }, "body.from"],
  ["an unknown group", { ...wish, from: ["ofice"] }, "body.from.0"],
  ["an unknown group with @", { ...wish, from: ["any", "@x"] }, "body.from.1"],
  ["an IPv4 source", { ...wish, from: ["192.0.2.0/24"] }, "body.from.0"],
  ["a source with host bits", { ...wish, from: ["2001:db8::1/64"] }, "body.from.0"],
  ["no time", { ...wish, seconds: 0 }, "body.seconds"],
  ["half a second", { ...wish, seconds: 0.5 }, "body.seconds"],
  ["forever", { ...wish, seconds: 1e12 }, "body.seconds"],
  ["no reason", { ...wish, reason: "" }, "body.reason"],
  ["spaces for a reason", { ...wish, reason: " \t " }, "body.reason"],
  ["a reason without end", { ...wish, reason: "x".repeat(501) }, "body.reason"],
  ["__proto__", JSON.parse('{"__proto__": {"to": "vm1/web"}}'), "body.to"],
])("POST /openings refuses %s and says where", async (_, body, at) => {
  await withApi(async (stand) => {
    const said = await stand.ask("/api/v1/openings", post(body));
    expect(said.status).toBe(400);
    const { errors } = JSON.parse(said.text) as { errors: { code: string; at: string; fix: string }[] };
    expect(errors.map((error) => error.at)).toContain(at);
    for (const error of errors) expect(error).toMatchObject({ code: "E955", fix: expect.stringMatching(/./) });
    expect(stand.controller.openings()).toEqual([]);
    expect(stand.controller.journalEntries).toEqual([]);
  });
});

test("POST /openings reads groups, words and prefixes, and tells the controller who asks", async () => {
  await withApi(async (stand) => {
    const token = await stand.tokenOf("operator");
    const from = ["office", "@office", "2001:db8:5::/48", "2001:db8::7"];
    const services = ["443", "53/udp", "8000-8099/sctp", "ping"];
    const answer = await stand.json("/api/v1/openings", post({ ...wish, from, services }, { token }));
    expect(answer).toMatchObject({ format: "sixgate.opened/1" });
    const opened = stand.controller.openings();
    expect(opened.map((each) => each.service)).toEqual([
      { kind: "ports", transport: "tcp", ports: { first: 443, last: 443 } },
      { kind: "ports", transport: "udp", ports: { first: 53, last: 53 } },
      { kind: "ports", transport: "sctp", ports: { first: 8000, last: 8099 } },
      { kind: "ping" },
    ]);
    expect(opened[0]).toMatchObject({
      from: [prefix("2001:db8::7/128"), prefix("2001:db8:5::/48"), prefix("2001:db8:aaaa::/48")],
      askedBy: { kind: "person", name: "t1-operator" },
      reason: "test",
    });
    expect(answer["entries"]).toEqual(opened);
    const id = opened[0]?.id ?? "";
    await stand.json(`/api/v1/openings/${id}/close`, post({ reason: "done" }, { token }));
    expect((await stand.ask(`/api/v1/openings/${id}`)).status).toBe(404);
    expect((await stand.ask(`/api/v1/openings/${id}/close`, post({ reason: "done" }))).status).toBe(404);
    expect(stand.controller.journalEntries.map(({ who, what }) => `${who} ${what}`)).toEqual([
      "admin token made",
      "t1-operator opened",
      "t1-operator closed",
    ]);
  });
});

test("what the controller refuses keeps its code; devices that are away are 503; a fault says a number only", async () => {
  await withApi(async (stand) => {
    const outcome = async (
      error: unknown,
    ): Promise<{ status: number; body: { errors: { code: string; text: string }[] } }> => {
      stand.controller.open = () => Promise.reject(error);
      const said = await stand.ask("/api/v1/openings", post(wish));
      return { status: said.status, body: JSON.parse(said.text) };
    };
    expect(await outcome(new Failure("E223", "to", "Outside", "name another"))).toMatchObject({
      status: 422,
      body: { errors: [{ code: "E223", fix: "name another" }] },
    });
    expect(await outcome(new Failure("E503", "fw", "Not reached", "wait"))).toMatchObject({
      status: 503,
      body: { errors: [{ code: "E503" }] },
    });
    const fault = await outcome(new TypeError("secret-of-the-inside is undefined"));
    expect(fault).toMatchObject({
      status: 500,
      body: { errors: [{ code: "E964", text: expect.stringMatching(/^Fault [0-9a-f-]{36}$/) }] },
    });
    expect(JSON.stringify(fault)).not.toContain("secret-of-the-inside");
    expect(stand.logged.some((line) => line.includes("secret-of-the-inside"))).toBe(true);
    expect((await outcome("not even an error")).status).toBe(500);
    expect(stand.controller.openings()).toEqual([]);
  });
});

test("a body beyond 64 KiB is refused, told or not, and never held", async () => {
  await withApi(async (stand) => {
    const big = JSON.stringify({ ...wish, to: "x".repeat(65 * 1024) });
    expect((await stand.ask("/api/v1/openings", post(big))).status).toBe(413);
    expect(
      (await stand.ask("/api/v1/openings", post(big, { headers: { "transfer-encoding": "chunked" } }))).status,
    ).toBe(413);
    expect((await stand.ask("/api/v1/session", post(big, { token: undefined }))).status).toBe(413);
    const deep = `${"[".repeat(30_000)}${"]".repeat(30_000)}`;
    expect((await stand.ask("/api/v1/openings", post(deep))).status).toBe(400);
    expect((await stand.ask("/api/v1/openings", post(`{"to":"\u00ff`.slice(0, 8)))).status).toBe(400);
  });
});

const loopback = { kind: "tcp", host: "127.0.0.1", port: 0 } as const;

test("wrong tokens are slowed down by source, the right one too, until it is quiet", async () => {
  await withApi(
    async (stand) => {
      const url = stand.served.urls[1];
      const status = async (token: string | undefined, path = "/api/v1/status"): Promise<number> =>
        (await stand.ask(path, { url, token })).status;
      for (let i = 0; i < 10; i++) expect(await status("wrong")).toBe(401);
      const limited = await stand.ask("/api/v1/status", { url, token: stand.admin });
      expect(limited.status).toBe(429);
      expect(Number(limited.headers["retry-after"])).toBeGreaterThan(0);
      expect(limited.text).toContain("E959");
      const login = await stand.ask("/api/v1/session", post({ token: stand.admin }, { url, token: undefined }));
      expect(login.status).toBe(429);
      // Root's own socket is nobody else's.
      expect((await stand.ask("/api/v1/status")).status).toBe(200);
      stand.later(7000);
      expect(await status(stand.admin)).toBe(200);
      stand.later(120_000);
      for (let i = 0; i < 10; i++) {
        const said = await stand.ask("/api/v1/session", post({ token: "wrong" }, { url, token: undefined }));
        expect(said.status).toBe(401);
      }
      expect(await status(stand.admin)).toBe(429);
    },
    [loopback],
  );
});

test("a session that has ended, and no token at all, count against nobody", async () => {
  await withApi(
    async (stand) => {
      const url = stand.served.urls[1];
      const cookie = `__Host-sixgate=${"A".repeat(43)}`;
      for (let i = 0; i < 30; i++) {
        expect((await stand.ask("/api/v1/status", { url, token: undefined, headers: { cookie } })).status).toBe(401);
        expect((await stand.ask("/api/v1/status", { url, token: undefined })).status).toBe(401);
      }
      expect((await stand.ask("/api/v1/status", { url })).status).toBe(200);
    },
    [loopback],
  );
});

test("GET /journal pages, verifies and exports", async () => {
  await withApi(async (stand) => {
    for (let i = 1; i <= 1234; i++) await stand.controller.note({ name: "x", role: "admin" }, "n", { i });
    const sequences = async (query: string): Promise<readonly number[]> =>
      ((await stand.json(`/api/v1/journal${query}`)) as { entries: { sequence: number }[] }).entries.map(
        (each) => each.sequence,
      );
    expect((await sequences("")).at(0)).toBe(1135);
    expect((await sequences("")).at(-1)).toBe(1234);
    expect(await sequences("?after=0&limit=3")).toEqual([1, 2, 3]);
    expect(await sequences("?after=1233")).toEqual([1234]);
    expect(await sequences("?after=5000")).toEqual([]);
    expect(await stand.json("/api/v1/journal/verify")).toMatchObject({
      fits: true,
      entries: 1234,
      head: expect.any(String),
    });
    const exported = await stand.ask("/api/v1/journal/export");
    expect(exported.headers["content-type"]).toBe("application/x-ndjson");
    const lines = exported.text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { sequence: number });
    expect(lines.map((line) => line.sequence)).toEqual(Array.from({ length: 1234 }, (_, i) => i + 1));
    expect((await stand.ask("/api/v1/journal/export?after=1230")).text.trimEnd().split("\n")).toHaveLength(4);
    stand.controller.journalEntries[6] = { ...(stand.controller.journalEntries[6] as object), who: "y" } as never;
    expect(await stand.json("/api/v1/journal/verify")).toMatchObject({ fits: false, broken: 7 });
  });
});

test("GET /journal/verify walks once, however many ask", async () => {
  await withApi(async (stand) => {
    let walks = 0;
    let finish: (broken: number | undefined) => void = () => undefined;
    stand.controller.verifyJournal = () => {
      walks += 1;
      return new Promise((resolve) => (finish = resolve));
    };
    const asked = Array.from({ length: 20 }, () => stand.json("/api/v1/journal/verify"));
    while (stand.logged.length === 0 && walks === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await stand.ask("/api/v1/status");
    finish(undefined);
    expect(await Promise.all(asked)).toHaveLength(20);
    expect(walks).toBeLessThanOrEqual(2);
  });
});

/** Everything that must not be found in a log. */
async function secretsUsed(stand: Stand): Promise<readonly string[]> {
  const token = await stand.tokenOf("admin");
  const invitation = await stand.json("/api/v1/agents/vm1/invite", post({}));
  const { code } = await stand.json("/api/v1/session/code", post({}));
  const login = await stand.ask("/api/v1/session", post({ code }, { token: undefined }));
  const cookie = String(login.headers["set-cookie"]).split(";")[0] ?? "";
  const canary = "canary-9f1c2d";
  await stand.ask(`/api/v1/openings?container=${canary}`, { token });
  await stand.ask(`/api/v1/nothing/${canary}`, { token });
  await stand.ask(`/api/v1/agents/${canary}/invite`, post({}));
  await stand.ask("/api/v1/status", { token: canary });
  await stand.ask("/api/v1/status", { token: undefined, headers: { cookie, referer: canary, "user-agent": canary } });
  await stand.ask("/api/v1/session", post({ token: canary }, { token: undefined }));
  await stand.ask("/api/v1/openings", post({ ...wish, reason: canary }));
  await stand.ask("/api/v1/openings", post(`{"${canary}`));
  return [canary, stand.admin, token, String(invitation["token"]), String(code), cookie.split("=")[1] ?? ""];
}

test("no log line holds a token, a cookie, a code, a body, a query or a path that somebody made up", async () => {
  await withApi(async (stand) => {
    const secrets = await secretsUsed(stand);
    expect(stand.logged.length).toBeGreaterThan(8);
    for (const secret of secrets) {
      expect(secret.length).toBeGreaterThan(8);
      for (const line of stand.logged) {
        expect(line).not.toContain(secret);
        expect(line).not.toContain(secret.split(".").at(-1));
      }
    }
    expect(stand.logged.at(-1)).toContain('"route":"/api/v1/openings"');
  });
});

test("invitations and tokens are shown once: lists have none of it", async () => {
  await withApi(async (stand) => {
    const invitation = await stand.json("/api/v1/agents/vm1/invite", post({}));
    expect(invitation).toMatchObject({ host: vm1, token: expect.any(String) });
    const token = await stand.tokenOf("viewer");
    const lists = (await Promise.all(["tokens", "agents", "journal"].map((each) => stand.ask(`/api/v1/${each}`))))
      .map((said) => said.text)
      .join();
    for (const secret of [String(invitation["token"]), token, token.split(".").at(-1) ?? ""])
      expect(lists).not.toContain(secret);
    expect(lists).toContain("t1-viewer");
    const instantOf = instant(Number(invitation["ends"]));
    expect(instantOf).toBeGreaterThan(Date.now());
  });
});

test("a request without a Host, or in HTTP/1.0, does not stop the API", async () => {
  await withApi(
    async (stand) => {
      const url = stand.served.urls[1] ?? "";
      const { connect } = await import("node:net");
      const port = Number(new URL(url).port);
      for (const text of [
        "GET /healthz HTTP/1.0\r\n\r\n",
        "GET http://evil.example/healthz HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET \\ HTTP/1.1\r\nHost: [\r\n\r\n",
        "\0\0\0\0\r\n\r\n",
      ]) {
        await new Promise<void>((resolve, reject) => {
          const socket = connect(port, "127.0.0.1", () => socket.end(text));
          socket.on("data", () => undefined);
          socket.on("close", () => resolve());
          socket.on("error", reject);
        });
      }
      expect((await send(url, "/healthz", {})).text).toBe("ok\n");
    },
    [loopback],
  );
});
