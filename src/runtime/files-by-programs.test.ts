import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { filesByPrograms } from "./files-by-programs.ts";
import { runProcess } from "./process.ts";

const files = filesByPrograms("here", (argv, options) => runProcess("here", argv, options));
/** As somebody who is not root, for whom a folder can be closed. */
const others = filesByPrograms("there", (argv, options) =>
  runProcess("there", ["setpriv", "--reuid=65534", "--clear-groups", "--", ...argv], options),
);
let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sixgate-files-"));
  await chmod(folder, 0o755);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test("filesByPrograms writes, reads, lists and removes, whatever is in a name", async () => {
  const path = join(folder, "new/it's $(here) -n");
  await files.write(path, "text\n");
  expect(await files.read(path)).toBe("text\n");
  expect(await files.list(join(folder, "new"))).toEqual(["it's $(here) -n"]);
  await files.remove(path);
  expect(await files.read(path)).toBeUndefined();
});

test("filesByPrograms takes for absent what is not there, at any depth and below a file", async () => {
  await files.write(join(folder, "file"), "");
  for (const path of ["no", "no/such/file", "file/below"]) {
    expect(await files.read(join(folder, path))).toBeUndefined();
    expect(await files.list(join(folder, path))).toEqual([]);
  }
});

test.skipIf(process.getuid?.() !== 0)(
  "filesByPrograms rejects with E504 what it may not look at: unknown is not absent",
  async () => {
    await files.write(join(folder, "closed/in/file"), "text");
    await chmod(join(folder, "closed"), 0o700);
    const refused = { diagnostic: { code: "E504", at: "there" } };
    await expect(others.read(join(folder, "closed/in/file"))).rejects.toMatchObject(refused);
    await expect(others.list(join(folder, "closed/in"))).rejects.toMatchObject(refused);
    await expect(others.list(join(folder, "closed"))).rejects.toMatchObject(refused);
    expect(await others.read(join(folder, "no/such"))).toBeUndefined();
  },
);
