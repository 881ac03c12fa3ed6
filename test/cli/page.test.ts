import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ListenAt } from "../../src/web/listen.ts";
import { type Stand, withApi } from "../web/bench.ts";
import { type Said, sixgate } from "./run.ts";

let built: string;
beforeAll(() => {
  built = mkdtempSync(join(tmpdir(), "sixgate-page-"));
  writeFileSync(join(built, "index.html"), "<!doctype html>\n");
  mkdirSync(join(built, "none"));
});
afterAll(() => rmSync(built, { recursive: true }));

const loopback: ListenAt = { kind: "tcp", host: "127.0.0.1", port: 0 };

/** An API with a page, on its socket and on loopback unless other places are named. */
function withPage(work: (stand: Stand) => Promise<void>, places: readonly ListenAt[] = [loopback]): Promise<void> {
  return withApi(work, places, undefined, undefined, built);
}

function ask(stand: Stand, words: readonly string[], tokenFile?: string): Promise<Said> {
  const env = {
    SIXGATE_CONTROLLER: stand.served.urls[0],
    SIXGATE_TOKEN_FILE: tokenFile ?? join(stand.folder, "admin.token"),
    SIXGATE_CA: undefined,
  };
  return sixgate(words, { cwd: stand.folder, env });
}

/** What the page does with a link. */
async function redeem(stand: Stand, link: string): Promise<Record<string, unknown>> {
  const code = new URL(link).hash.replace("#code=", "");
  const said = await stand.ask("/api/v1/session", { method: "POST", body: { code }, token: undefined });
  return JSON.parse(said.text) as Record<string, unknown>;
}

test("page prints a link that signs in once, says whom and for how long, and its code is in no log", async () => {
  await withPage(async (stand) => {
    const said = await ask(stand, ["page"]);
    expect(said.code, said.err).toBe(0);
    const origin = stand.served.urls[1] ?? "";
    expect(said.out).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/#code=[\w-]{43}\n$/);
    expect(said.out.startsWith(`${origin}/#code=`)).toBe(true);
    expect(said.err).toBe("signs in once, as admin (admin), within 5 minutes; it is not shown again\n");
    expect(await redeem(stand, said.out.trim())).toMatchObject({ format: "sixgate.session/1", role: "admin" });
    expect(await redeem(stand, said.out.trim())).toMatchObject({ errors: [{ code: "E956" }] });
    expect(stand.logged.join("\n")).not.toContain(new URL(said.out).hash.slice("#code=".length));
  });
});

test("page's link holds for five minutes and no longer, and signs in whoever's token asked", async () => {
  await withPage(async (stand) => {
    const file = join(stand.folder, "viewer");
    writeFileSync(file, await stand.tokenOf("viewer"));
    const said = await ask(stand, ["--json", "page"], file);
    const answer = JSON.parse(said.out) as { link: string; origin: string };
    expect(answer).toMatchObject({ format: "sixgate.page/1", seconds: 300, role: "viewer" });
    expect(answer.link.startsWith(`${answer.origin}/#code=`)).toBe(true);
    stand.later(299_000);
    expect(await redeem(stand, answer.link)).toMatchObject({ role: "viewer" });
    const late = (await ask(stand, ["page"])).out.trim();
    stand.later(300_000);
    expect(await redeem(stand, late)).toMatchObject({ errors: [{ code: "E956" }] });
  });
});

test("page's link leads to where the controller was reached, or to where --at says", async () => {
  await withPage(async (stand) => {
    const direct = await ask(stand, ["page", "--controller", stand.served.urls[1] ?? ""]);
    expect(direct.out.startsWith(`${stand.served.urls[1]}/#code=`)).toBe(true);
    const tunnel = await ask(stand, ["page", "--at", "http://127.0.0.1:8080/"]);
    expect(tunnel.out).toMatch(/^http:\/\/127\.0\.0\.1:8080\/#code=/);
    const secure = await ask(stand, ["page", "--at", "https://fw.example"]);
    expect(secure.out).toMatch(/^https:\/\/fw\.example\/#code=/);
    expect(secure.err).toContain("fleet's own authority (/var/lib/sixgate/authority.crt");
  });
});

test.each(["http://192.0.2.1:80", "https://fw/page", "https://a:b@fw", "unix:/run/x.sock", "fw", "javascript:1"])(
  "page refuses --at %s with E813",
  async (at) => {
    await withPage(async (stand) => {
      const said = await ask(stand, ["page", "--at", at]);
      expect(said).toMatchObject({ code: 1, out: "" });
      expect(said.err).toMatch(/^--at: E813 .*\n {2}fix: write https:/);
    });
  },
);

test("page says what is missing: the page, an address, the controller, a token that holds; each with its fix", async () => {
  const told = async (stand: Stand, words: readonly string[] = [], tokenFile?: string): Promise<string> => {
    const said = await ask(stand, ["page", ...words], tokenFile);
    expect(said).toMatchObject({ code: 1, out: "" });
    expect(said.err).toMatch(/\n {2}fix: \S/);
    return said.err;
  };
  await withApi(
    async (stand) => {
      expect(await told(stand)).toContain("E980 This controller has no page");
    },
    [loopback],
    undefined,
    undefined,
    join(built, "none"),
  );
  await withPage(async (stand) => {
    expect(await told(stand)).toMatch(/E981 The controller listens on its socket only.*\n {2}fix: .*ssh -L.*--at/);
    expect((await ask(stand, ["page", "--at", "http://localhost:6465"])).code).toBe(0);
    expect(await told(stand, ["--controller", `unix:${stand.folder}/none.sock`])).toContain("E810 No controller runs");
    expect(await told(stand, [], join(stand.folder, "none"))).toContain("E811 No such file");
    const wrong = join(stand.folder, "wrong");
    writeFileSync(wrong, `${stand.admin.slice(0, -2)}xx`);
    expect(await told(stand, [], wrong)).toContain("E956 The controller does not take this token");
  }, []);
});

test.skipIf(process.getuid?.() !== 0)("page says to somebody without the right to the token what to do", async () => {
  const folder = mkdtempSync(join(tmpdir(), "sixgate-page-"));
  try {
    writeFileSync(join(folder, "admin.token"), "");
    const said = await sixgate(["page", "--token-file", join(folder, "admin.token")], {
      cwd: tmpdir(),
      under: ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"],
      env: { SIXGATE_CONTROLLER: undefined },
    });
    expect(said).toMatchObject({ code: 1, out: "" });
    expect(said.err).toMatch(/admin\.token: E811 Not yours to read\n {2}fix: use sudo, or name the file/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
