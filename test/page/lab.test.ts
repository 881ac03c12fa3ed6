import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openDoor } from "../../src/cli/door.ts";
import { loginLink } from "../../src/cli/login-link.ts";
import { dockerClient } from "../../src/lab/engines.ts";
import { labImage } from "../../src/lab/image.ts";
import { internetAddress } from "../../src/lab/vantage.ts";
import { ask } from "../../src/probe/probe.ts";
import { bringUp, type LabUnderTest, must } from "../lab/harness.ts";
import { noEngines } from "../lab/one-host.ts";
import { noBrowser, type Sight, withBrowser } from "./browser.ts";

const why = noBrowser ?? noEngines();
const name = "test-page";
/** What is waited for takes milliseconds; the machine may be busy. */
const soon = { timeout: 60_000 } as const;

// The whole way: a real engine starts a container, its agent reports, the controller decides and opens on the gateway,
// and a browser on this machine sees it through the lab's door.
describe.skipIf(why !== undefined)(`the page of a lab${why === undefined ? "" : ` (left out: ${why})`}`, () => {
  let lab: LabUnderTest;
  beforeAll(async () => {
    lab = await bringUp({ name, file: "examples/lab.yaml", containers: "docker" });
  }, 300_000);
  afterAll(() => lab?.down(), 120_000);

  const docker = (...words: readonly string[]): Promise<string> => must(lab.shell("vm1"), [dockerClient, ...words]);
  const addressOf = async (container: string): Promise<string> => {
    const format = "{{range .NetworkSettings.Networks}}{{.GlobalIPv6Address}}{{end}}";
    return (await docker("inspect", "--format", format, container)).trim();
  };
  const start = async (container: string, label: string): Promise<string> => {
    await docker(
      "run",
      "-d",
      "--name",
      container,
      "--network",
      "web",
      "--label",
      `sixgate.open=${label}`,
      labImage,
      "8080",
    );
    return addressOf(container);
  };
  const stateOf = async (to: string, port: number): Promise<string | undefined> => {
    const [answer] = await ask(lab.shell("internet"), [{ from: internetAddress, to, transport: "tcp", port }], 700);
    return answer?.state;
  };
  /** A browser that the lab's own link signed in. */
  const look = (work: (sight: Sight) => Promise<void>): Promise<void> =>
    withBrowser(async (open) => {
      const sight = await open();
      await sight.page.goto((await loginLink(await openDoor({ lab: name }))).link);
      await sight.page.getByRole("table", { name: "Openings" }).waitFor();
      await work(sight);
      expect(sight.wrong).toEqual([]);
    });

  test("shows an opening when its container starts, on the map too, and no more when it stops", async () => {
    await look(async ({ page }) => {
      const row = page.getByRole("row", { name: /vm1\/page-web / });
      expect(await row.count()).toBe(0);
      const to = await start("page-web", "8080 # a look at the page");
      await row.waitFor(soon);
      expect((await row.getByRole("cell").allInnerTexts()).slice(0, 6)).toEqual([
        "open",
        "vm1/page-web",
        `${to} 8080/tcp`,
        "anywhere",
        "label 8080 # a look at the page",
        "web",
      ]);
      // What the page says is so: packets from the Internet get through, and only there.
      await expect.poll(() => stateOf(to, 8080), soon).toBe("open");
      expect(await stateOf(to, 8081)).toBe("filtered");
      await row.getByRole("button", { name: "vm1/page-web" }).click();
      const reasons = page.getByRole("complementary", { name: "Why" });
      await reasons.getByText("open", { exact: true }).waitFor();
      expect(await reasons.getByRole("img", { name: "missing" }).count()).toBe(0);
      await page.evaluate('location.hash = "#/map"');
      const picture = page.getByRole("group", { name: "Map of the fleet" });
      await picture.getByText("page-web", { exact: true }).waitFor(soon);
      await docker("rm", "-f", "page-web");
      await picture.getByText("page-web", { exact: true }).waitFor({ state: "detached", ...soon });
      await page.evaluate('location.hash = "#/openings"');
      await page.getByRole("table", { name: "Openings" }).waitFor();
      expect(await row.count()).toBe(0);
      await expect.poll(() => stateOf(to, 8080), soon).toBe("filtered");
    });
  }, 180_000);

  test("shows what was refused with its reason, as text whatever the label holds", async () => {
    await look(async ({ page }) => {
      await page.evaluate('location.hash = "#/openings?tab=refused"');
      await start("page-greedy", "22; 2375; 80 # \u202egpj.exe <img src=x>");
      const rows = page.getByRole("row", { name: /vm1\/page-greedy/ });
      await expect.poll(() => rows.count(), soon).toBe(3);
      expect((await rows.locator(".code").allInnerTexts()).toSorted()).toEqual(["E904", "E911", "E912"]);
      await page.getByRole("table").getByText("\\u{202e}gpj.exe <img src=x>").first().waitFor();
      for (const why of await rows.locator(".why").allInnerTexts()) expect(why).not.toBe("");
      for (const fix of await rows.locator(".fix").allInnerTexts()) expect(fix).not.toBe("");
      expect(await page.locator("#page").innerText()).not.toContain("\u202e");
      expect(await page.locator("#page img").count()).toBe(0);
      await page.evaluate('location.hash = "#/activity"');
      await page.getByRole("searchbox", { name: "Search" }).fill("refused page-greedy");
      await expect.poll(() => page.locator(".table.journal .body .row").count(), soon).toBe(3);
      await page.evaluate('location.hash = "#/openings?tab=refused"');
      await docker("rm", "-f", "page-greedy");
      await expect.poll(() => rows.count(), soon).toBe(0);
    });
  }, 180_000);

  test("shows a port that is exposed and closed, with the label that would ask", async () => {
    await look(async ({ page }) => {
      await page.evaluate('location.hash = "#/openings?tab=suggested"');
      await docker("run", "-d", "--name", "page-shy", "--network", "web", "--expose", "8080", labImage, "8080");
      const row = page.getByRole("row", { name: /vm1\/page-shy .*8080\/tcp/ });
      await row.getByText("sixgate.open=8080", { exact: true }).waitFor(soon);
      expect(await stateOf(await addressOf("page-shy"), 8080)).toBe("filtered");
      await docker("rm", "-f", "page-shy");
      await row.waitFor({ state: "detached", ...soon });
    });
  }, 180_000);

  test("opens by hand what the policy lets people open, and closes it", async () => {
    await look(async ({ page, wrong }) => {
      const to = await start("page-hand", "8080");
      await page.getByRole("row", { name: /vm1\/page-hand / }).waitFor(soon);
      await page.getByRole("button", { name: "Open for…" }).click();
      const dialog = page.getByRole("dialog");
      await dialog.getByLabel("Container or address").fill("vm1/page-hand");
      await dialog.getByLabel("Ports").fill("8443");
      await dialog.getByRole("textbox", { name: "Because" }).fill("certificate test");
      await dialog.getByRole("button", { name: "Open", exact: true }).click();
      await dialog.waitFor({ state: "detached", ...soon });
      const row = page.getByRole("row", { name: /certificate test/ });
      await row.waitFor();
      // Nobody listens there: the packet gets to the container, which says so.
      await expect.poll(() => stateOf(to, 8443), soon).toBe("closed");
      await row.getByRole("button", { name: /^Close/ }).click();
      await page.getByRole("dialog").getByRole("textbox", { name: "Because" }).fill("done");
      await page.getByRole("button", { name: "Close it" }).click();
      await row.waitFor({ state: "detached", ...soon });
      await expect.poll(() => stateOf(to, 8443), soon).toBe("filtered");
      await docker("rm", "-f", "page-hand");
      expect(wrong).toEqual([]);
    });
  }, 180_000);

  test("says that the agents are there and the fleet's tests pass", async () => {
    await look(async ({ page }) => {
      const health = page.getByRole("region", { name: "Health" });
      await expect
        .poll(() => health.innerText(), soon)
        .toMatch(/Gateway reached[\s\S]*Agents 2\/2[\s\S]*Tests (\d+)\/\1/);
    });
  });
});
