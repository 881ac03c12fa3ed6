import { join } from "node:path";
import { expect, test } from "vitest";
import { sixgate } from "../cli/run.ts";
import { isRoot } from "../lab/harness.ts";
import { noBrowser, type Sight, withBrowser } from "./browser.ts";
import { fill } from "./fleet.ts";
import { withPage } from "./stand.ts";

/** Opens a link as a person does, signs out, and opens it once more: it signs in once. */
async function walk({ page, wrong }: Sight, link: string, as: string): Promise<void> {
  await page.goto(link);
  await page.getByRole("button", { name: "Sign out" }).waitFor();
  await page.getByText(as, { exact: true }).filter({ visible: true }).first().waitFor();
  expect(page.url()).not.toContain("code=");
  // Nothing was refused on the way, and nothing asked for elsewhere.
  expect(wrong).toEqual([]);
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("textbox", { name: "Token" }).waitFor();
  await page.goto("about:blank");
  await page.goto(link);
  await page.getByText("That link does not hold").waitFor();
  await page.getByText("sixgate page", { exact: true }).waitFor();
  expect(await page.getByRole("button", { name: "Sign out" }).count()).toBe(0);
}

test.skipIf(noBrowser !== undefined)("sixgate page prints a link that signs a browser in, and only once", async () => {
  await withPage(fill, async ({ look, folder, served }) => {
    const said = await sixgate(["page"], {
      env: {
        SIXGATE_CONTROLLER: served.urls[0],
        SIXGATE_TOKEN_FILE: join(folder, "admin.token"),
        SIXGATE_CA: undefined,
      },
    });
    expect(said.code, said.err).toBe(0);
    await walk(await look(), said.out.trim(), "admin");
  });
});

test.skipIf(noBrowser !== undefined || !isRoot)(
  "lab up prints a link by which this machine's browser is on the page of the lab's controller; so does page --lab",
  { timeout: 400_000 },
  async () => {
    const name = "page-link";
    const up = await sixgate(["lab", "up", "--detach", "--stand-in", "-n", name]);
    try {
      const link = /^PAGE {2}(\S+)$/m.exec(up.out)?.[1];
      if (link === undefined) throw new Error(`no link in ${up.out}${up.err}`);
      await withBrowser(async (look) => {
        await walk(await look(), link, "admin");
        const another = await sixgate(["page", "--lab", name]);
        const { page } = await look();
        await page.goto(another.out.trim());
        await page.getByRole("table", { name: "Openings" }).getByText("2001:db8:1234:321d:23::80").first().waitFor();
      });
    } finally {
      const down = await sixgate(["lab", "down", "-n", name]);
      expect(down.code, down.err).toBe(0);
    }
  },
);
