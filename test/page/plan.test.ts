import { describe, expect, test } from "vitest";
import type { MatrixView } from "../../src/web/planner/schema.ts";
import { noBrowser } from "./browser.ts";
import { hostile } from "./fleet.ts";
import { expectWellMade } from "./maps.ts";
import { type PageStand, withPage } from "./stand.ts";

const matrix: MatrixView = {
  rules: "loaded",
  sources: ["internet", "office", "vm1"],
  rows: [
    {
      host: "vm1",
      cells: [
        { state: "partly", flows: ["tcp 80, 443"], addresses: 1, example: "[2001:db8:1234:321d:23::80]:80/tcp" },
        { state: "closed", flows: [], addresses: 0 },
        { state: "inside", flows: [], addresses: 0 },
      ],
    },
  ],
};

function prepare({ planner }: PageStand): void {
  planner.review_ = {
    file: "fleet.yaml",
    text: `fleet: lab\n# ${hostile[0]}\ntests:\n  - { from: internet, to: vm1/web, open: [80], closed: [22] }\n`,
    findings: [
      { code: "W208", severity: "warning", at: "fleet.yaml:1:1 fleet", text: "Nobody may log in", fix: "name some" },
    ],
    tests: [
      {
        at: "fleet.yaml:4:5 tests[0]",
        name: "internet → vm1/web",
        what: "80/tcp",
        want: "open",
        passed: true,
        because: [],
      },
      {
        at: "fleet.yaml:4:5 tests[0]",
        name: "internet → vm1/web",
        what: "22/tcp",
        want: "closed",
        passed: false,
        because: ["packet in wan tcp", "accept by inet sixgate forward"],
      },
    ],
  };
  planner.matrix_ = matrix;
}

const nothing = (): void => undefined;

describe.skipIf(noBrowser !== undefined)("plan and tests", () => {
  test("show the file with its marks, tests with what decided, and the matrix with its reasons", async () => {
    await withPage(nothing, async (stand) => {
      prepare(stand);
      const { page, wrong } = await stand.open("#/plan");
      await page.getByText("1 of 2 pass").waitFor();
      expect(await page.locator(".file-bad .mark-bad").innerText()).toBe("internet → vm1/web 22/tcp is not closed");
      expect(await page.locator(".file-change").count()).toBe(1);
      expect(await page.locator(".file").innerText()).toContain(`# ${hostile[0]}`);
      await page.getByText("accept by inet sixgate forward").waitFor();
      await page.getByRole("button", { name: /partly from internet to vm1/ }).click();
      await page.getByRole("heading", { name: "Why" }).waitFor();
      expect(wrong).toEqual([]);
    });
  });

  test("apply what was seen, device by device, when somebody says that all is well", async () => {
    await withPage(nothing, async (stand) => {
      prepare(stand);
      const { page, wrong } = await stand.open("#/plan");
      await page.getByRole("button", { name: "Make a plan" }).click();
      await page.getByText("2 to add, 0 to change, 0 to remove").waitFor();
      await page.getByText("+ address fw").waitFor();
      await page.getByLabel("Reason").fill("a new host");
      await page.getByRole("button", { name: "Apply", exact: true }).click();
      const keep = page.getByRole("button", { name: "All is well: keep it" });
      await keep.waitFor();
      expect(await page.getByRole("timer").innerText()).toMatch(/waits for you, goes back in \d+ s unless confirmed/);
      expect(stand.planner.applied).toEqual([]);
      await keep.click();
      await expect.poll(() => stand.planner.applied).toEqual(["fw"]);
      await page.getByRole("button", { name: "Take it back" }).click();
      await page.getByText("Taken back by", { exact: false }).waitFor();
      expect(stand.planner.applied).toEqual(["fw"]);
      expect(wrong).toEqual([]);
    });
  });

  test("offer only what the controller and the role allow", async () => {
    await withPage(nothing, async (stand) => {
      prepare(stand);
      stand.planner.mayApply = false;
      const admin = await stand.open("#/plan");
      await admin.page.getByRole("button", { name: "Make a plan" }).click();
      await admin.page.getByText("sixgate apply -f fleet.yaml").first().waitFor();
      expect(await admin.page.getByRole("button", { name: "Apply", exact: true }).count()).toBe(0);
      const { page } = await stand.look({});
      await page.goto(await stand.link(await stand.tokenOf("viewer")));
      await page.getByRole("button", { name: "Sign out" }).waitFor();
      await page.evaluate('location.hash = "#/plan"');
      await page.getByText("1 of 2 pass").waitFor();
      expect(await page.getByRole("button", { name: "Make a plan" }).count()).toBe(0);
    });
  });

  test("are well made at both widths, light and dark", async () => {
    await withPage(nothing, async (stand) => {
      prepare(stand);
      await stand.json("/api/v1/plan", { method: "POST", body: {} });
      await expectWellMade(stand, "#/plan", ({ page }) => page.getByText("+ address fw").waitFor());
    });
  });
});
