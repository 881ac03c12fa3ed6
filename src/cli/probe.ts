import { Failure } from "../base/failure.ts";
import type { Address } from "../net/address.ts";
import { contains } from "../net/prefix.ts";
import type { Service } from "../openings/opening.ts";
import { ask } from "../probe/probe.ts";
import { type Exit, exit } from "./exit.ts";
import type { Opened } from "./fleet-file.ts";
import { gatewayIn, insideLab, type LabSource, openFleetOrLab } from "./gateway-rules.ts";
import { questionFor, requireOwn, serviceName, standAt } from "./live.ts";
import { type ReportOptions, reportChecks } from "./report-checks.ts";
import { targetIn, vantageIn } from "./target.ts";
import type { Terminal } from "./terminal.ts";

export type ProbeOptions = LabSource & ReportOptions & { readonly from: string; readonly wait: string };

/** `sixgate probe`: what answers at an address, asked with packets. Only the fleet's own addresses are asked. */
export async function probe(target: string, options: ProbeOptions, terminal: Terminal): Promise<Exit> {
  const inside = await insideLab(options.lab);
  if (inside !== undefined) return inside;
  const wait = Number(options.wait);
  if (!Number.isInteger(wait) || wait < 100 || wait > 10_000)
    throw new Failure("E802", "--wait", `"${options.wait}" is not 100 to 10000 milliseconds`, "1000 is the default");
  const opened = await openFleetOrLab(options);
  const { to, service } = targetIn(target, opened);
  const { delegated } = opened.plan;
  requireOwn(to, gatewayIn(opened), (address) => contains(delegated, address));
  const stand = await standAt(vantageIn(options.from, opened), opened, options.lab);
  if (stand === undefined)
    throw new Failure(
      "E974",
      "--from",
      `No way to send packets from "${options.from}"`,
      "in a lab every vantage has one (--lab); elsewhere only internet, from this machine",
    );
  const services =
    service?.kind === "ports" ? asksFor(service.ports.first) : service === undefined ? openAt(to, opened) : [service];
  const questions = services.slice(0, mostQuestions).flatMap((each) => questionFor(stand, to, each) ?? []);
  const answers = await ask(stand.shell, questions, wait);
  terminal.table(
    ["FROM → TO", "WHAT", "STATE", "REASON"],
    answers.map(({ question, state, reason, ms }) => [
      `${options.from} → ${to}`,
      question.transport === "ping" ? "ping" : `${question.port}/${question.transport}`,
      { text: state, tone: state === "open" ? "good" : "plain" },
      `${reason} ${ms} ms`,
    ]),
  );
  const checks = answers.map((answer) => ({ from: options.from, answer }));
  const taken = await reportChecks(checks, options, terminal);
  terminal.result({
    format: "sixgate.probe/1",
    from: options.from,
    to,
    asked: services.map(serviceName),
    answers,
    ...(taken === undefined ? {} : { taken }),
  });
  return exit.fine;
}

/** Questions of one call: whoever wants more of an address has a scanner. */
const mostQuestions = 64;

/** A port by both transports, the next port, which tells a closed port from a closed gate, and echo. */
function asksFor(port: number): readonly Service[] {
  const at = (transport: "tcp" | "udp", number: number): Service => ({
    kind: "ports",
    transport,
    ports: { first: number, last: number },
  });
  const next = port === 65_535 ? port - 1 : port + 1;
  return [at("tcp", port), at("udp", port), at("tcp", next), { kind: "ping" }];
}

/** What the fleet file opens there, and the port behind each. */
function openAt(to: Address, opened: Opened): readonly Service[] {
  const open = gatewayIn(opened).openings.filter((each) => each.to === to);
  const ports = open.flatMap(({ service }) => (service.kind === "ports" ? [service.ports.first] : []));
  return [...new Set(ports.length === 0 ? [80, 443] : ports)]
    .flatMap((port) => asksFor(port).slice(0, 3))
    .concat({ kind: "ping" });
}
