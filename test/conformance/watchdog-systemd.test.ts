import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Seconds, seconds } from "../../src/base/time.ts";
import type { Pending } from "../../src/drivers/driver.ts";
import { armWatchdog } from "../../src/drivers/watchdog.ts";
import { type Holder, must, startHolder } from "../holder.ts";
import { missingFor } from "./needs.ts";

// A machine that says that systemd is its PID 1, with stand-ins for systemd-run and systemctl: they take what we ask
// of the real ones (systemd-run(1): a transient timer and its service), write down each call, and refuse the rest.

const systemdRun = `#!/bin/sh
echo "systemd-run $*" >>/run/calls
while [ "\${1#--}" != "$1" ]; do
  case $1 in
    --quiet|--collect|--timer-property=AccuracySec=100ms) ;;
    --unit=*) unit=\${1#--unit=} ;;
    --on-active=*s) after=\${1#--on-active=}; after=\${after%s} ;;
    *) exit 64 ;;
  esac
  shift
done
printf '%s\\n' "$@" >"/run/units/$unit.service"
setsid sh -c 'sleep "$1"; shift; rm -f "$1"; shift; exec "$@"' sh "$after" "/run/units/$unit.timer" "$@" </dev/null >/dev/null 2>&1 &
echo $! >"/run/units/$unit.timer"
`;
const systemctl = `#!/bin/sh
echo "systemctl $*" >>/run/calls
for unit; do :; done
case "$*" in
  "is-active --quiet "*.timer) [ -e "/run/units/$unit" ] ;;
  "stop "*.timer) kill -s TERM -- "-$(cat "/run/units/$unit")"; rm -f "/run/units/$unit" ;;
  "start --no-block "*.service)
    set --
    while IFS= read -r word; do set -- "$@" "$word"; done <"/run/units/$unit"
    setsid "$@" </dev/null >/dev/null 2>&1 & ;;
  *) exit 64 ;;
esac
`;

const reason = await missingFor(["root", "systemd-run"]);
let holder: Holder | undefined;

beforeAll(async () => {
  if (reason !== undefined) return;
  holder = await startHolder("watchdog-systemd");
  const { shell } = holder;
  await shell.write("/run/stand-in/systemd-run", systemdRun, 0o755);
  await shell.write("/run/stand-in/systemctl", systemctl, 0o755);
  await shell.write("/run/stand-in/comm", "systemd\n");
  const script = `mkdir -p /run/systemd/system /run/units
mount --bind /run/stand-in/comm /proc/1/comm
for each in systemd-run systemctl; do mount --bind "/run/stand-in/$each" "$(command -v "$each")"; done`;
  await must(shell, ["sh", "-ec", script]);
});

afterAll(() => holder?.stop());

async function change(
  id: string,
  after: Seconds,
): Promise<{ readonly shell: Holder["shell"]; readonly pending: Pending }> {
  if (holder === undefined) throw new Error("no holder");
  const { shell } = holder;
  await shell.write("/run/live", "old");
  const pending = await armWatchdog(shell, { id, undo: "printf old >/run/live", after });
  await shell.write("/run/live", "new");
  return { shell, pending };
}

test.skipIf(reason !== undefined)("armWatchdog leaves the waiting to a systemd timer, which undoes", async () => {
  const { shell, pending } = await change("s1", seconds(2));
  expect(await shell.read("/run/calls")).toContain(
    "systemd-run --quiet --collect --unit=sixgate-undo-s1 --on-active=2s",
  );
  expect(await shell.list("/run/sixgate/undo")).toEqual(["s1.sh", "s1.unit", "s1.watch"]);
  await pause(2500);
  expect(await shell.read("/run/live")).toBe("old");
  await expect(pending.confirm()).rejects.toThrow("E514");
  expect(await shell.list("/run/sixgate/undo")).toEqual([]);
});

test.skipIf(reason !== undefined)("armWatchdog stops the systemd timer at a confirm", async () => {
  const { shell, pending } = await change("s2", seconds(60));
  await pending.confirm();
  expect(await shell.read("/run/calls")).toContain("systemctl stop sixgate-undo-s2.timer");
  expect(await shell.list("/run/units")).not.toContain("sixgate-undo-s2.timer");
  expect(await shell.read("/run/live")).toBe("new");
  expect(await shell.list("/run/sixgate/undo")).toEqual([]);
});

test.skipIf(reason !== undefined)("armWatchdog starts the systemd service at a rollback", async () => {
  const { shell, pending } = await change("s3", seconds(60));
  await pending.rollback();
  expect(await shell.read("/run/calls")).toContain("systemctl start --no-block sixgate-undo-s3.service");
  expect(await shell.read("/run/live")).toBe("old");
  expect(await shell.list("/run/sixgate/undo")).toEqual([]);
  await expect(pending.confirm()).rejects.toThrow("E514");
});
