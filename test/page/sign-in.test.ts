import { expect, test } from "vitest";
import { noBrowser } from "./browser.ts";
import { fill } from "./fleet.ts";
import { withPage } from "./stand.ts";

test.skipIf(noBrowser !== undefined)("a link signs in once, and its code leaves the address at once", async () => {
  await withPage(fill, async ({ look, link }) => {
    const { page, wrong } = await look();
    const once = await link();
    await page.goto(once);
    await page.getByRole("table", { name: "Openings" }).waitFor();
    expect(page.url()).not.toContain("code=");
    expect(await page.evaluate("document.cookie")).toBe("");
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("textbox", { name: "Token" }).waitFor();
    expect(wrong).toEqual([]);
    await page.goto("about:blank");
    await page.goto(once);
    await page.getByText("That link does not hold").waitFor();
  });
});

test.skipIf(noBrowser !== undefined)(
  "a token signs in, a wrong one says why not, and a viewer is offered no order",
  async () => {
    await withPage(fill, async (stand) => {
      const { look, url } = stand;
      const { page } = await look();
      await page.goto(url);
      await page.getByRole("textbox", { name: "Token" }).fill("sixgate_wrong");
      await page.getByRole("button", { name: "Sign in" }).click();
      await page.getByRole("alert").getByText("E956").waitFor();
      await page.getByRole("textbox", { name: "Token" }).fill(await stand.tokenOf("viewer"));
      await page.getByRole("button", { name: "Sign in" }).click();
      await page.getByRole("table", { name: "Openings" }).waitFor();
      expect(await page.getByRole("button", { name: /^Open for|^Close vm1/ }).count()).toBe(0);
    });
  },
);
