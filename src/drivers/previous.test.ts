import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readText, removeFile, writeText } from "../runtime/files.ts";
import { previousPath, replaceFile } from "./previous.ts";

const path = "/etc/network/interfaces";
let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "sixgate-previous-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const device = {
  read: (at: string) => readText(join(root, at)),
  write: (at: string, text: string, mode?: number) => writeText(join(root, at), text, mode),
  remove: (at: string) => removeFile(join(root, at)),
};

test("replaceFile keeps what was there, for root alone and not beside the file", async () => {
  await device.write(path, "first\n");
  await replaceFile(device, path, "second\n");
  expect(await device.read(path)).toBe("second\n");
  expect(await readFile(join(root, previousPath(path)), "utf8")).toBe("first\n");
  expect((await stat(join(root, previousPath(path)))).mode & 0o777).toBe(0o600);
  expect(await readdir(join(root, "/etc/network"))).toEqual(["interfaces"]);
});

test("replaceFile keeps it when the file goes, and nothing of a file that is new or the same", async () => {
  await replaceFile(device, path, "first\n");
  await replaceFile(device, path, "first\n");
  expect(await device.read(previousPath(path))).toBeUndefined();
  await replaceFile(device, path, undefined);
  expect(await device.read(path)).toBeUndefined();
  expect(await device.read(previousPath(path))).toBe("first\n");
});

test("replaceFile changes nothing where the copy can't be kept or the file can't be read", async () => {
  await device.write(path, "first\n");
  const full = { ...device, write: () => Promise.reject(new Error("no space left")) };
  await expect(replaceFile(full, path, undefined)).rejects.toThrow("no space left");
  const blind = { ...device, read: () => Promise.reject(new Error("permission denied")) };
  await expect(replaceFile(blind, path, "second\n")).rejects.toThrow("permission denied");
  expect(await device.read(path)).toBe("first\n");
});
