import type { IncomingMessage, ServerResponse } from "node:http";
import { afterEach, expect, test } from "vitest";
import { authority, certificate } from "../../test/fakes/certificate.ts";
import { type Listening, listen } from "../../test/fakes/listen.ts";
import { type Http, type HttpOptions, httpAt, type Trust } from "./http.ts";

const secret = "s3cr3t-that-must-not-be-shown";
const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of opened.splice(0)) await end();
});

async function server(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  certified?: Parameters<typeof listen>[1],
): Promise<Listening> {
  const made = await listen(answer, certified);
  opened.push(made.stop);
  return made;
}

function client(url: string, trust: Trust = { kind: "system" }, more: Partial<HttpOptions> = {}): Http {
  const http = httpAt({ device: "fw", url, trust, headers: { "x-api-key": secret }, ...more });
  opened.push(() => http.end());
  return http;
}

test("send gives status and text, with the key in the headers and the connection kept", async () => {
  const seen: (string | undefined)[] = [];
  let connections = 0;
  const { url, server: made } = await server((request, response) => {
    seen.push(String(request.headers["x-api-key"]), request.headers["content-type"]);
    response.writeHead(404).end(`no ${request.url}`);
  });
  made.on("connection", () => connections++);
  const http = client(url);
  expect(http.peer()).toBeUndefined();
  expect(await http.send({ method: "GET", path: "/a?b=c%20d" })).toEqual({ status: 404, text: "no /a?b=c%20d" });
  await http.send({ method: "GET", path: "/again" });
  expect(seen).toEqual([secret, undefined, secret, undefined]);
  expect(connections).toBe(1);
  expect(http.peer()).toBe("127.0.0.1");
  await http.reconnect();
  expect(connections).toBe(2);
});

test("send encodes JSON and forms", async () => {
  const { url } = await server((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => response.end(`${request.headers["content-type"]} ${Buffer.concat(chunks).toString()}`));
  });
  const http = client(url);
  const json = await http.send({ method: "POST", path: "/", body: { json: { a: "é" } } });
  expect(json.text).toBe('application/json {"a":"é"}');
  const form = await http.send({ method: "POST", path: "/", body: { form: { address: "2001:db8::1" } } });
  expect(form.text).toBe("application/x-www-form-urlencoded address=2001%3Adb8%3A%3A1");
});

test("send repeats a read whose connection broke, and nothing that may not be repeated", async () => {
  const calls: string[] = [];
  const { url } = await server((request, response) => {
    calls.push(request.method ?? "");
    if (calls.length === 1 || request.method === "POST") request.socket.destroy();
    else response.end("there");
  });
  const http = client(url);
  expect(await http.send({ method: "GET", path: "/" })).toEqual({ status: 200, text: "there" });
  await expect(http.send({ method: "POST", path: "/" })).rejects.toThrow("E503");
  expect(calls).toEqual(["GET", "GET", "POST"]);
  calls.length = 0;
  await expect(http.send({ method: "POST", path: "/", repeatable: true })).rejects.toThrow("E503");
  expect(calls).toEqual(["POST", "POST", "POST"]);
});

test("send takes half an answer for none, and a silent device for not reached", async () => {
  const half = await server((_, response) => {
    response.writeHead(200, { "content-length": "100" });
    response.write('{"data":[]');
    setTimeout(() => response.destroy(), 50);
  });
  await expect(client(half.url).send({ method: "POST", path: "/" })).rejects.toThrow(
    /E503 Not reached.*broke off|E503.*aborted/,
  );
  const silent = await server(() => undefined);
  await expect(client(silent.url).send({ method: "POST", path: "/x?y", timeout: 200 })).rejects.toThrow(
    "E503 Not reached: no answer in time (POST /x)",
  );
});

test("send ends with the caller's signal", async () => {
  const silent = await server(() => undefined);
  const signal = AbortSignal.timeout(100);
  await expect(client(silent.url).send({ method: "GET", path: "/", signal })).rejects.toMatchObject({
    name: "TimeoutError",
  });
});

test("no message of a failure holds the key", async () => {
  const { url, stop } = await server(() => undefined);
  await stop();
  const failed = await client(url)
    .send({ method: "POST", path: "/", body: { json: { password: secret } } })
    .catch((error: unknown) => error);
  expect(failed).toMatchObject({ diagnostic: { code: "E503" } });
  expect(JSON.stringify((failed as { diagnostic: unknown }).diagnostic)).not.toContain(secret);
});

test("a pinned certificate lets in that device and no other, before a byte of the request is sent", async () => {
  const [own, other] = [certificate({ name: "fw" }), certificate({ name: "fw" })];
  let asked = 0;
  const { url } = await server((_, response) => {
    asked++;
    response.end("in");
  }, own);
  const right = client(url, { kind: "fingerprint", sha256: own.sha256 });
  expect((await right.send({ method: "GET", path: "/" })).text).toBe("in");
  await right.reconnect();
  const wrong = client(url, { kind: "fingerprint", sha256: other.sha256 });
  asked = 0;
  await expect(wrong.send({ method: "GET", path: "/" })).rejects.toThrow(
    `E551 The device shows a certificate with the fingerprint ${own.sha256}, expected was ${other.sha256}`,
  );
  await expect(wrong.reconnect()).rejects.toThrow("E551");
  expect(asked).toBe(0);
});

test("an authority lets in what it signed, and nothing that is expired, its own or somebody else's", async () => {
  const [ours, theirs] = [authority("ours"), authority("theirs")];
  const trust: Trust = { kind: "ca", pem: ours.pem };
  const signed = await server((_, response) => response.end("in"), certificate({ name: "fw", by: ours }));
  expect((await client(signed.url, trust).send({ method: "GET", path: "/" })).text).toBe("in");
  await expect(client(signed.url).send({ method: "GET", path: "/" })).rejects.toThrow("E551");
  for (const wish of [{ name: "fw", by: theirs }, { name: "fw" }, { name: "fw", by: ours, expired: true }]) {
    const { url } = await server((_, response) => response.end("in"), certificate(wish));
    await expect(client(url, trust).send({ method: "GET", path: "/" })).rejects.toThrow("E551");
  }
  // The name in the URL has to be the certificate's.
  const named = signed.url.replace("127.0.0.1", "127.0.0.2");
  await expect(client(named, trust).send({ method: "GET", path: "/" })).rejects.toThrow(/E551|E503/);
});
