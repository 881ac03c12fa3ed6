import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { AgentView, Controller, ControllerEvent } from "../controller/controller.ts";

/** Milliseconds are measured, seconds are told (Prometheus' base unit). From a fast event to a host that lags badly. */
const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const agentStates: readonly AgentView["state"][] = ["never", "connected", "silent", "stale", "revoked"];

/** The controller in Prometheus' text format. Counted from the moment the API began; in a registry of its own. */
export type Metrics = {
  /** What `text` gives: `text/plain; version=0.0.4; charset=utf-8`. */
  readonly type: string;
  text(): Promise<string>;
  /** A request that was answered. */
  answered(status: number): void;
  end(): void;
};

/** Labels hold closed lists of words only: nothing that a host or a container says becomes a series. */
export function metricsOf(controller: Controller, listeners: () => number): Metrics {
  const registry = new Registry();
  const counters = countersIn(registry);
  gaugesIn(registry, controller, listeners);
  const requests = new Counter({
    name: "sixgate_api_requests_total",
    help: "Requests that the API answered, by class of status",
    labelNames: ["status"],
    registers: [registry],
  });
  for (const status of ["2xx", "4xx", "5xx"]) requests.inc({ status }, 0);
  const end = controller.watch((event) => count(event, counters));
  return {
    type: registry.contentType,
    text: () => registry.metrics(),
    answered: (status) => requests.inc({ status: `${Math.floor(status / 100)}xx` }),
    end,
  };
}

type Counters = ReturnType<typeof countersIn>;

function countersIn(registry: Registry) {
  const registers = [registry];
  const counters = {
    latency: new Histogram({
      name: "sixgate_opening_latency_seconds",
      help: "From the engine's event to the element in force on the gateway",
      buckets,
      registers,
    }),
    opened: new Counter({
      name: "sixgate_opened_total",
      help: "Openings that came into force, by who asked",
      labelNames: ["asked_by"],
      registers,
    }),
    closed: new Counter({ name: "sixgate_closed_total", help: "Openings that were closed", registers }),
    refused: new Counter({ name: "sixgate_refused_total", help: "Requests that were refused", registers }),
    alarms: new Counter({ name: "sixgate_alarms_total", help: "Things that an honest agent does not do", registers }),
    failures: new Counter({
      name: "sixgate_gateway_failures_total",
      help: "Times that the gateway was lost: a change or a read failed",
      registers,
    }),
    denied: new Counter({ name: "sixgate_denied_packets_total", help: "Denied packets that were told of", registers }),
  };
  for (const asked_by of ["label", "person", "fleet"]) counters.opened.inc({ asked_by }, 0);
  return counters;
}

function count(event: ControllerEvent, counters: Counters): void {
  switch (event.kind) {
    case "opened":
      counters.opened.inc({ asked_by: event.opening.askedBy.kind });
      if (event.ms !== undefined) counters.latency.observe(event.ms / 1000);
      break;
    case "closed":
      counters.closed.inc();
      break;
    case "refused":
      counters.refused.inc();
      break;
    case "alarm":
      counters.alarms.inc();
      break;
    case "gateway":
      if (!event.reached) counters.failures.inc();
      break;
    case "denied":
      counters.denied.inc(event.count);
      break;
    case "agent":
      break;
  }
}

/** Read when they are asked for. */
function gaugesIn(registry: Registry, controller: Controller, listeners: () => number): void {
  const gauge = (name: string, help: string, value: () => number): void => {
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(value());
      },
    });
  };
  gauge("sixgate_openings", "Openings in force", () => controller.status().openings);
  gauge("sixgate_refusals", "Requests that stand refused", () => controller.status().refusals);
  gauge("sixgate_complete", "1 when every host that held openings has reported or gone stale", () =>
    Number(controller.status().complete),
  );
  gauge("sixgate_gateway_reached", "1 when the gateway answers", () => Number(controller.status().gateway.reached));
  gauge(
    "sixgate_gateway_drift",
    "Differences on the gateway that nobody planned",
    () => controller.status().gateway.drift,
  );
  gauge("sixgate_journal_entries", "Entries of the journal", () => controller.status().journal.entries);
  gauge("sixgate_event_listeners", "Event streams that are open", listeners);
  gauge("sixgate_start_time_seconds", "When the controller started", () => controller.status().started / 1000);
  gauge("process_resident_memory_bytes", "Resident memory", () => process.memoryUsage.rss());
  new Counter({
    name: "process_cpu_seconds_total",
    help: "Processor time, of user and system",
    registers: [registry],
    collect() {
      const { user, system } = process.cpuUsage();
      this.reset();
      this.inc((user + system) / 1e6);
    },
  });
  agentGauge(registry, controller);
  new Gauge({
    name: "sixgate_info",
    help: "1; the version is a label",
    labelNames: ["version"],
    registers: [registry],
  }).set({ version: controller.status().version }, 1);
}

function agentGauge(registry: Registry, controller: Controller): void {
  new Gauge({
    name: "sixgate_agents",
    help: "Agents by state",
    labelNames: ["state"],
    registers: [registry],
    collect() {
      const agents = controller.agents();
      for (const state of agentStates) this.set({ state }, agents.filter((agent) => agent.state === state).length);
    },
  });
}
