import { readFile } from "node:fs/promises";
import { release } from "node:os";
import { formatDiagnostic } from "../base/diagnostic.ts";
import { missingPrograms, programsFor } from "../lab/programs.ts";
import { runProcess } from "../runtime/process.ts";
import { deviceFindings } from "./doctor-api.ts";
import { type Exit, exit } from "./exit.ts";
import type { Finding } from "./finding.ts";
import { type FleetSource, findFleetFile, openFleet } from "./fleet-file.ts";
import { Refused } from "./refused.ts";
import { survey } from "./survey.ts";
import type { Terminal } from "./terminal.ts";

/** `sixgate doctor`: this machine, then the fleet file and its devices when there is one. Exit 1 when something is missing. */
export async function doctor(source: FleetSource, terminal: Terminal): Promise<Exit> {
  const findings = [...(await machine()), ...(await fleet(source, terminal))];
  terminal.table(
    ["", "WHAT", "FOUND"],
    findings.map(({ name, state, found }) => [
      state === "fine"
        ? { text: "✓", tone: "good" }
        : state === "note"
          ? { text: "·", tone: "dim" }
          : { text: "✗", tone: "bad" },
      name,
      found,
    ]),
  );
  for (const { code, fix, name } of findings)
    if (fix !== undefined) terminal.line(`${code === undefined ? "" : `${code} `}${name}: ${fix}`, "change");
  terminal.result({ format: "sixgate.doctor/1", findings });
  return findings.some((finding) => finding.state === "missing") ? exit.error : exit.fine;
}

async function machine(): Promise<readonly Finding[]> {
  const root = process.getuid?.() === 0;
  const missing = new Set((await missingPrograms(programsFor("docker"))).map((program) => program.name));
  const programs = programsFor("docker").map(
    (program): Finding =>
      missing.has(program.name)
        ? {
            name: program.name,
            state: "missing",
            found: "not there",
            code: "E002",
            fix: `apt-get install ${program.debian} (\`lab up\` does it as root)`,
          }
        : { name: program.name, state: "fine", found: "there" },
  );
  return [
    { name: "Node", state: "fine", found: process.versions.node },
    { name: "kernel", state: "fine", found: release() },
    root
      ? { name: "root", state: "fine", found: "yes" }
      : {
          name: "root",
          state: "note",
          found: "no",
          code: "E003",
          fix: "the lab with Docker engines needs it; `sixgate lab up --rootless` does not",
        },
    await userNamespaces(),
    await version("nft", ["nft", "--version"]),
    ...programs,
  ];
}

async function userNamespaces(): Promise<Finding> {
  const most = await readFile("/proc/sys/user/max_user_namespaces", "utf8").catch(() => "");
  return Number(most) > 0
    ? { name: "user namespaces", state: "fine", found: "allowed" }
    : {
        name: "user namespaces",
        state: "note",
        found: "switched off",
        fix: "sysctl user.max_user_namespaces=15000, for the lab without root",
      };
}

async function version(name: string, argv: readonly string[]): Promise<Finding> {
  const ran = await runProcess("doctor", argv).catch(() => undefined);
  return {
    name: `${name} version`,
    state: ran === undefined ? "note" : "fine",
    found: ran?.stdout.trim() ?? "not there",
  };
}

async function fleet(source: FleetSource, terminal: Terminal): Promise<readonly Finding[]> {
  try {
    findFleetFile(source.file);
  } catch {
    return [{ name: "fleet file", state: "note", found: "none here: only the machine was looked at" }];
  }
  try {
    const opened = await openFleet(source);
    const warnings = opened.warnings.map(
      (warning): Finding => ({
        name: warning.at,
        state: "note",
        found: warning.text,
        code: warning.code,
        fix: warning.fix,
      }),
    );
    return [
      { name: "fleet file", state: "fine", found: `${opened.file} is valid` },
      ...warnings,
      ...(await devices(opened, terminal)),
    ];
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return [
      {
        name: "fleet file",
        state: "missing",
        found: `${error.diagnostics.length} errors`,
        fix: error.diagnostics.map(formatDiagnostic).join("\n"),
      },
    ];
  }
}

async function devices(opened: Awaited<ReturnType<typeof openFleet>>, terminal: Terminal): Promise<readonly Finding[]> {
  const { hypervisors, gateway, hosts, provider } = opened.fleet;
  const reaches = [
    ...[...hypervisors.values()].map((each) => each.reach),
    gateway.reach,
    ...[...hosts.values()].map((each) => each.reach),
  ];
  const apis = [gateway.api, provider.api, ...[...hypervisors.values()].map((each) => each.api)];
  if (apis.every((api) => api === undefined) && reaches.every((reach) => reach.kind === "none"))
    return [{ name: "devices", state: "note", found: "none has a reach or an api: only rendered" }];
  const before = await deviceFindings(opened);
  // What is missing there would end the survey, with less said.
  if (before.some(({ state }) => state === "missing")) return before;
  const surveyed = await survey(opened, {}, terminal);
  const read = surveyed.map(
    ({ desired, set }): Finding => ({
      name: `${desired.device} ${desired.layer}`,
      state: "fine",
      found:
        set.changes.length === 0 ? "read, as planned" : `read, ${set.changes.length} differences (\`sixgate plan\`)`,
    }),
  );
  return [...before, ...read];
}
