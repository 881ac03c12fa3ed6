import { expect, test } from "vitest";
import { withApi } from "../../test/web/bench.ts";
import { parseMetrics } from "../../test/web/prometheus.ts";
import { opening, refusal, vm1 } from "../../test/web/views.ts";
import type { HostName } from "../base/name.ts";
import { instant } from "../base/time.ts";
import { address } from "../net/address.ts";

const at = instant(1_700_000_000_000);

test.each([
  ["no end of line", "# HELP a b\n# TYPE a gauge\na 1"],
  ["no TYPE", "# HELP a b\na 1\n"],
  ["a sample of nobody", "# HELP a b\n# TYPE a gauge\nb 1\n"],
  ["a sample twice", "# HELP a b\n# TYPE a gauge\na 1\na 2\n"],
  ["a family twice", "# HELP a b\n# TYPE a gauge\na 1\n# HELP a b\n# TYPE a gauge\n"],
  ["an open quote", '# HELP a b\n# TYPE a gauge\na{b="c} 1\n'],
  ["a counter without _total", "# HELP a b\n# TYPE a counter\na 1\n"],
  ["no number", "# HELP a b\n# TYPE a gauge\na undefined\n"],
  [
    "a histogram that falls",
    '# HELP a b\n# TYPE a histogram\na_bucket{le="1"} 2\na_bucket{le="+Inf"} 1\na_sum 1\na_count 1\n',
  ],
])("parseMetrics refuses %s", (_, text) => {
  expect(() => parseMetrics(text)).toThrow();
});

test("GET /metrics is what Prometheus reads, and counts what happened", async () => {
  await withApi(async (stand) => {
    const { controller } = stand;
    controller.scene.openings.set("vm1", [opening("a"), opening("b")]);
    controller.scene.refusals.set("vm1", [refusal()]);
    controller.scene.gateway = { reached: false, error: "gone", drift: 3 };
    controller.scene.agents.push(
      { host: vm1, state: "connected", containers: 2 },
      { host: "vm2" as HostName, state: "silent", containers: 0 },
    );
    controller.emit({ kind: "opened", at, opening: opening("a"), ms: 4 });
    controller.emit({ kind: "opened", at, opening: opening("b"), ms: 40 });
    controller.emit({
      kind: "opened",
      at,
      opening: opening("p", { askedBy: { kind: "person", name: "x", text: "" } }),
    });
    controller.emit({ kind: "closed", at, opening: opening("b"), why: "gone" });
    controller.emit({ kind: "refused", at, refusal: refusal() });
    controller.emit({ kind: "alarm", at, host: vm1, alarm: "replay", text: 'evil"\n{}' });
    controller.emit({ kind: "gateway", at, reached: false, text: "gone" });
    controller.emit({ kind: "gateway", at, reached: true, text: "back" });
    controller.emit({
      kind: "denied",
      at,
      from: address("2001:db8::1"),
      to: address("2001:db8::2"),
      transport: "tcp",
      count: 5,
    });
    await stand.ask("/api/v1/nothing");
    const said = await stand.ask("/metrics");
    expect(said.headers["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8");
    const families = parseMetrics(said.text);
    const value = (name: string, labels = ""): number | undefined => families.get(name)?.samples.get(name + labels);
    expect(value("sixgate_openings")).toBe(2);
    expect(value("sixgate_refusals")).toBe(1);
    expect(value("sixgate_gateway_reached")).toBe(0);
    expect(value("sixgate_gateway_drift")).toBe(3);
    expect(value("sixgate_agents", '{state="connected"}')).toBe(1);
    expect(value("sixgate_agents", '{state="silent"}')).toBe(1);
    expect(value("sixgate_agents", '{state="revoked"}')).toBe(0);
    expect(value("sixgate_opened_total", '{asked_by="label"}')).toBe(2);
    expect(value("sixgate_opened_total", '{asked_by="person"}')).toBe(1);
    expect(value("sixgate_opened_total", '{asked_by="fleet"}')).toBe(0);
    expect(value("sixgate_closed_total")).toBe(1);
    expect(value("sixgate_refused_total")).toBe(1);
    expect(value("sixgate_alarms_total")).toBe(1);
    expect(value("sixgate_gateway_failures_total")).toBe(1);
    expect(value("sixgate_denied_packets_total")).toBe(5);
    expect(value("sixgate_api_requests_total", '{status="4xx"}')).toBe(1);
    const latency = families.get("sixgate_opening_latency_seconds");
    expect(latency?.samples.get("sixgate_opening_latency_seconds_count")).toBe(2);
    expect(latency?.samples.get("sixgate_opening_latency_seconds_sum")).toBeCloseTo(0.044);
    expect(latency?.samples.get('sixgate_opening_latency_seconds_bucket{le="0.005"}')).toBe(1);
    expect(latency?.samples.get('sixgate_opening_latency_seconds_bucket{le="0.05"}')).toBe(2);
    expect(said.text).not.toContain("vm1");
    expect(said.text).not.toContain("evil");
  });
});

test("metrics of two controllers in one process do not mix", async () => {
  await withApi(async (one) => {
    await withApi(async (two) => {
      one.controller.emit({ kind: "closed", at, opening: opening("b"), why: "gone" });
      const closed = async (stand: typeof one): Promise<number | undefined> =>
        parseMetrics((await stand.ask("/metrics")).text)
          .get("sixgate_closed_total")
          ?.samples.get("sixgate_closed_total");
      expect([await closed(one), await closed(two)]).toEqual([1, 0]);
    });
  });
});
