import { expect, test } from "vitest";
import type { Shell } from "../runtime/shell.ts";
import { localShell } from "../runtime/shell-local.ts";
import { readAccess } from "./access.ts";

/** A machine that answers as recorded; anything else it is asked is an error. */
function machine(answers: Readonly<Record<string, string>>): Shell {
  return {
    ...localShell(),
    name: "ssh fw",
    async run(argv) {
      const words = argv[0] === "sh" ? "connection" : argv.join(" ");
      const stdout = answers[words];
      return stdout === undefined
        ? { code: 1, stdout: "", stderr: `no answer to ${words}` }
        : { code: 0, stdout, stderr: "" };
    },
  };
}

const address4 =
  "2: eth0    inet 10.10.10.2/24 brd 10.10.10.255 scope global eth0\\       valid_lft forever preferred_lft forever\n";

test("readAccess finds the address and the most specific route back", async () => {
  const shell = machine({
    connection: "10.20.1.7 51234 10.10.10.2 22",
    "ip -4 -o addr show to 10.10.10.2": address4,
    "ip -4 route show match 10.20.1.7":
      "default via 203.0.113.129 dev wan onlink \n10.20.0.0/16 via 10.10.10.1 dev eth0 \n",
  });
  expect(await readAccess(shell)).toEqual({
    address: "10.10.10.2",
    route: "10.20.0.0/16",
    from: "10.20.1.7",
    device: "eth0",
  });
});

test("readAccess takes the default route and a zone for what they are", async () => {
  const shell = machine({
    connection: "fe80::7%eth0 51234 2001:db8::2 22",
    "ip -6 -o addr show to 2001:db8::2": "2: eth0    inet6 2001:db8::2/64 scope global\n",
    "ip -6 route show match fe80::7": "default via fe80::1 dev eth0 metric 1024 pref medium\n",
  });
  expect(await readAccess(shell)).toEqual({
    address: "2001:db8::2",
    route: "::/0",
    from: "fe80::7",
    device: "eth0",
  });
});

test("readAccess is undefined where nobody came by ssh, or came in elsewhere", async () => {
  expect(await readAccess(machine({ connection: "" }))).toBeUndefined();
  const elsewhere = { connection: "10.20.1.7 51234 10.10.10.2 22", "ip -4 -o addr show to 10.10.10.2": "" };
  expect(await readAccess(machine(elsewhere))).toBeUndefined();
});

test("readAccess rejects where the machine can't say: unknown is not nobody", async () => {
  await expect(readAccess(machine({}))).rejects.toThrow("E517");
  await expect(readAccess(machine({ connection: "10.20.1.7 51234 10.10.10.2 22" }))).rejects.toThrow("E517");
});
