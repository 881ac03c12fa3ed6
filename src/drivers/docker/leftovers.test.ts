import { expect, test } from "vitest";
import { prefix } from "../../net/prefix.ts";
import { leftoverCommands } from "./leftovers.ts";

const block = prefix("2001:db8:1:2:20::/76");

// As Docker 28.5.2 leaves them, with a stranger's rules among them.
const filter = `-P INPUT ACCEPT
-P FORWARD DROP
-P OUTPUT ACCEPT
-N DOCKER
-N DOCKER-FORWARD
-N DOCKER-USER
-N ufw6-forward
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-FORWARD
-A FORWARD -j ufw6-forward
-A DOCKER ! -i docker0 -o docker0 -j DROP
-A DOCKER-FORWARD -i docker0 -j ACCEPT
`;
const nat = `-P POSTROUTING ACCEPT
-N DOCKER
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A POSTROUTING -s 2001:db8:1:2:21::/80 ! -o docker0 -j MASQUERADE
-A POSTROUTING -s fd00:1::/64 ! -o docker0 -j MASQUERADE
-A DOCKER -i docker0 -j RETURN
`;
const raw = `-P PREROUTING ACCEPT
-A PREROUTING -d 2001:db8:1:2:21::2/128 ! -i docker0 -j DROP
-A PREROUTING -d 2001:db8:ffff::1/128 -j DROP
`;

const text = (commands: readonly (readonly string[])[]): readonly string[] => commands.map((argv) => argv.join(" "));

test("leftoverCommands removes Docker's jumps, chains and rules about the block, and nobody else's", () => {
  expect(text(leftoverCommands({ filter, nat, raw }, block))).toEqual([
    "-t filter -D FORWARD -j DOCKER-USER",
    "-t filter -D FORWARD -j DOCKER-FORWARD",
    "-t nat -D PREROUTING -m addrtype --dst-type LOCAL -j DOCKER",
    "-t nat -D POSTROUTING -s 2001:db8:1:2:21::/80 ! -o docker0 -j MASQUERADE",
    "-t raw -D PREROUTING -d 2001:db8:1:2:21::2/128 ! -i docker0 -j DROP",
    ...["DOCKER", "DOCKER-FORWARD", "DOCKER-USER"].map((chain) => `-t filter -F ${chain}`),
    ...["DOCKER", "DOCKER-FORWARD", "DOCKER-USER"].map((chain) => `-t filter -X ${chain}`),
    "-t nat -F DOCKER",
    "-t nat -X DOCKER",
  ]);
});

test("leftoverCommands keeps DOCKER-USER where somebody has a rule in it", () => {
  const used = text(
    leftoverCommands({ filter: `${filter}-A DOCKER-USER -s 2001:db8:9::/48 -j DROP\n`, nat: "", raw: "" }, block),
  );
  expect(used.filter((line) => line.includes("DOCKER-USER"))).toEqual([]);
});

test("leftoverCommands takes the DROP policy back only where Docker was alone in FORWARD", () => {
  const alone = filter
    .split("\n")
    .filter((line) => !line.includes("ufw6"))
    .join("\n");
  expect(text(leftoverCommands({ filter: alone, nat: "", raw: "" }, block)).at(-1)).toBe("-t filter -P FORWARD ACCEPT");
  expect(text(leftoverCommands({ filter, nat, raw }, block))).not.toContain("-t filter -P FORWARD ACCEPT");
});

test("leftoverCommands finds nothing to do on a clean machine", () => {
  const clean = "-P INPUT ACCEPT\n-P FORWARD DROP\n-P OUTPUT ACCEPT\n";
  expect(leftoverCommands({ filter: clean, nat: clean, raw: clean }, block)).toEqual([]);
});
