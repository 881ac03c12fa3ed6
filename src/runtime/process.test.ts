import { expect, test } from "vitest";
import { runProcess } from "./process.ts";

test("runProcess gives what a program printed, and how it ended", async () => {
  const ran = await runProcess("here", ["sh", "-c", "cat; echo oops >&2; exit 3"], { input: "word" });
  expect(ran).toEqual({ code: 3, stdout: "word", stderr: "oops\n" });
});

test("runProcess tells a program that ended by a signal", async () => {
  expect(await runProcess("here", ["sh", "-c", "kill -TERM $$"])).toEqual({
    code: 128,
    stdout: "",
    stderr: "(SIGTERM)",
  });
});

test("runProcess rejects with E502 where there is no such program", async () => {
  await expect(runProcess("here", ["/no/such/program"])).rejects.toMatchObject({ diagnostic: { code: "E502" } });
});

test("runProcess kills what does not end in time, also where something holds its pipes", async () => {
  const began = performance.now();
  const run = runProcess("here", ["sh", "-c", "sleep 2 & sleep 2"], { timeout: 50 });
  await expect(run).rejects.toMatchObject({ diagnostic: { code: "E501", at: "here" } });
  expect(performance.now() - began).toBeLessThan(1500);
});

test("runProcess starts nothing for a signal that was aborted before", async () => {
  const signal = AbortSignal.abort(new DOMException("interrupted", "AbortError"));
  await expect(runProcess("here", ["/no/such/program"], { signal })).rejects.toThrow("interrupted");
});

test("runProcess ends the program when its signal is aborted", async () => {
  const stop = new AbortController();
  setTimeout(() => stop.abort(), 20);
  const began = performance.now();
  expect((await runProcess("here", ["sleep", "5"], { signal: stop.signal })).stderr).toBe("(SIGTERM)");
  expect(performance.now() - began).toBeLessThan(4000);
});
