import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { fakeOpnSense } from "./index.ts";

// The fake answers what OPNsense was asked as OPNsense answered it: status and body, but for what is of the moment.

type Exchange = {
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly body?: unknown;
    readonly form?: boolean;
  };
  readonly status: number;
  readonly response: { readonly [key: string]: unknown };
};

const folder = join(import.meta.dirname, "../../fixtures/opnsense");
const exchanges = JSON.parse(readFileSync(join(folder, "opnsense-exchanges.json"), "utf8")) as Exchange[];

/** Uuids that the device drew while it was recorded, in turn. */
const drawn = exchanges.flatMap(({ request, response }) =>
  /\/add/.test(request.path) && typeof response["uuid"] === "string" ? [response["uuid"]] : [],
);
/** Those of what was there before, by what names it: the file beside the recording has others. */
const before = new Map(
  exchanges.flatMap(({ response }) =>
    Array.isArray(response["rows"])
      ? (response["rows"] as { [key: string]: string }[]).map(
          (row) => [row["subnet"] || row["network"] || row["name"], row["uuid"]] as const,
        )
      : [],
  ),
);

const fake = await fakeOpnSense({
  config: readFileSync(join(folder, "opnsense-article-2vm.config.xml"), "utf8"),
  version: "27.1.a",
  unset: [],
  uuid: () => drawn.shift() ?? "none left",
});
for (const list of Object.values(fake.device.config.lists))
  for (const each of list) {
    const { subnet, network, name } = each.fields;
    each.uuid = before.get(subnet || network || name) ?? each.uuid;
  }
// What the recording shows was there is what somebody had added to the file by then.
fake.device.config.lists.rule.splice(0);
afterAll(() => fake.stop());

/** What depends on a running FreeBSD, which the recording had none of. */
const live = new Set(["status", "label_class"]);

function steady(value: unknown, path: string): unknown {
  if (Array.isArray(value)) return value.map((each) => steady(each, path));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, each]) =>
      path.endsWith("searchGateway") && live.has(key) ? [] : [[key, steady(each, path)]],
    ),
  );
}

/** sixgate asks for none of these, so the fake has them not. */
const left = exchanges.filter(({ request }) =>
  /\/(alias\/export|assignment\/\w+(\/\w+)?|backups\/this)$/.test(request.path),
);

test("the recording has what it had when the fake was written", () => {
  expect([exchanges.length, left.length]).toEqual([40, 4]);
});

test.each(
  exchanges
    .filter((each) => !left.includes(each))
    .map((each, i) => [i, each.request.method, each.request.path, each] as const),
)("the fake answers request %i as recorded: %s %s", async (_, method, path, { request, status, response }) => {
  const { key, secret } = fake.device;
  // The last one was asked without a key that the device knows.
  const pair = `${key}:${status === 401 ? "wrong" : secret}`;
  const form = request.form === true;
  const answer = await fetch(`${fake.url}${path}`, {
    method,
    headers: {
      authorization: `Basic ${Buffer.from(pair).toString("base64")}`,
      ...(request.body === undefined
        ? {}
        : { "content-type": form ? "application/x-www-form-urlencoded" : "application/json" }),
    },
    ...(request.body === undefined
      ? {}
      : { body: typeof request.body === "string" ? request.body : JSON.stringify(request.body) }),
  });
  expect(steady(await answer.json(), path)).toEqual(steady(response, path));
  expect(answer.status).toBe(status);
});
