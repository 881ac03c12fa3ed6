import { quoteWord } from "../../runtime/shell-ssh.ts";
import { engineFolder } from "./api.ts";
import { daemonPath } from "./daemon-file.ts";
import { doorComment, markPath, markTable } from "./door.ts";
import { createArguments } from "./network.ts";
import type { Reading } from "./reading.ts";

/** What an apply is about to touch, so that its undo touches no more. */
export type Touched = {
  readonly restart: boolean;
  readonly daemonMode: string;
  /** Paths of files of ours that are written or removed. */
  readonly files: readonly string[];
  readonly created: readonly string[];
  readonly removed: readonly string[];
  readonly door: boolean;
  /** Ids of the containers that ran. */
  readonly running: readonly string[];
};

function restoreFile(path: string, text: string | undefined, mode: string): readonly string[] {
  const to = quoteWord(path);
  if (text === undefined) return [`rm -f -- ${to}`];
  const coded = Buffer.from(text, "utf8").toString("base64");
  return [
    `mkdir -p -- "$(dirname ${to})"`,
    `printf %s ${quoteWord(coded)} | base64 -d >${to}.sixgate-new`,
    `chmod ${mode} ${to}.sixgate-new`,
    `mv -f ${to}.sixgate-new ${to}`,
  ];
}

function removeNetworks(touched: Touched): readonly string[] {
  return touched.created.map((name) => `docker network rm ${quoteWord(name)} >/dev/null 2>&1 || true`);
}

function restoreNetworks(before: Reading, touched: Touched): readonly string[] {
  return touched.removed.flatMap((name) => {
    const shape = before.owned.get(name)?.shape;
    if (shape === undefined) return [];
    // Still there when the apply failed before it came to it.
    const create = createArguments(name, shape).map(quoteWord).join(" ");
    return [`docker network inspect ${quoteWord(name)} >/dev/null 2>&1 || docker ${create} >/dev/null`];
  });
}

function restoreDoor(before: Reading): readonly string[] {
  const rules = before.door.filter((line) => line.startsWith("DOCKER-USER ")).map((line) => `ip6tables -w -I ${line}`);
  const marks = before.door.some((line) => line.startsWith("mark "));
  return [
    `ip6tables -w -S DOCKER-USER 2>/dev/null | sed -n '/--comment ${doorComment} /s/^-A/-D/p' | while read -r rule; do ip6tables -w $rule; done`,
    ...rules,
    marks ? `nft -f ${markPath}` : `nft delete table ip6 ${markTable} 2>/dev/null || true`,
  ];
}

/** POSIX sh that puts an engine back to what was read before. Every word from the device or the fleet is quoted. */
export function undoScript(before: Reading, touched: Touched): string {
  const texts = new Map(before.files.map((file) => [file.path, file.text]));
  return [
    "set -e",
    `docker() { if [ -x ${engineFolder}/docker ]; then ${engineFolder}/docker -H unix:///var/run/docker.sock "$@"; else command docker -H unix:///var/run/docker.sock "$@"; fi; }`,
    ...touched.files.flatMap((path) => restoreFile(path, texts.get(path), "644")),
    "if [ -d /run/systemd/system ]; then systemctl daemon-reload; fi",
    // Before the restart: the default bridge may want a prefix back that a new network has.
    ...removeNetworks(touched),
    ...(touched.restart
      ? [
          ...restoreFile(daemonPath, before.daemonText, touched.daemonMode),
          `if [ -x ${engineFolder}/restart ]; then ${engineFolder}/restart; else systemctl reset-failed docker.service 2>/dev/null || true; systemctl restart docker.service; fi`,
        ]
      : []),
    ...restoreNetworks(before, touched),
    ...(touched.door ? restoreDoor(before) : []),
    // Those that are back by their restart policy already are not harmed by it; one that was removed is not missed.
    ...(touched.restart && touched.running.length > 0
      ? [`docker start ${touched.running.map(quoteWord).join(" ")} >/dev/null 2>&1 || true`]
      : []),
    "",
  ].join("\n");
}
