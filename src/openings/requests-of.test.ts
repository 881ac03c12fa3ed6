import { describe, expect, test } from "vitest";
import { containerReport } from "../../test/container-report.ts";
import type { HostName } from "../base/name.ts";
import { instant } from "../base/time.ts";
import { address } from "../net/address.ts";
import type { ContainerReport } from "./container-report.ts";
import { requestsOf, type Surroundings } from "./requests-of.ts";
import { formatService } from "./services.ts";

const front = { network: "shop_front", networkId: "n1", address: address("2001:db8:1234:321d:22::80") };
const back = { network: "shop_back", networkId: "n2", address: address("2001:db8:1234:321d:23::80") };

function report(over: Partial<ContainerReport>): ContainerReport {
  return containerReport({
    id: "c1",
    name: "shop-web-1",
    project: "shop",
    image: "registry.example.net:5000/acme/web:1.2",
    labels: { "sixgate.open": "443" },
    endpoints: [front],
    ...over,
  });
}

function ask(container: ContainerReport, over: Partial<Surroundings> = {}, ...others: readonly ContainerReport[]) {
  const directory = new Map([container, ...others].map((each) => [each.id, each]));
  const around = { host: "vm1" as HostName, directory, trustImages: [], since: instant(1_000), ...over };
  const { requests, refusals } = requestsOf(container, around);
  return {
    requests,
    asked: requests.map((each) => `${each.to} ${formatService(each.service)}`),
    refused: refusals.map(({ at, code }) => `${at} ${code}`),
    refusals,
  };
}

describe("requestsOf", () => {
  test("gives one request per rule, service and address", () => {
    const { requests, refused } = ask(report({ labels: { "sixgate.open": "443/tcp+udp for 2h # web; ping" } }));
    expect(refused).toEqual([]);
    expect(requests).toMatchObject([
      { to: front.address, service: { kind: "ports", transport: "tcp", ports: { first: 443, last: 443 } } },
      { to: front.address, service: { kind: "ports", transport: "udp" } },
      { to: front.address, service: { kind: "ping" } },
    ]);
    expect(requests[0]).toEqual({
      key: "vm1 c1 n1 2001:db8:1234:321d:22::80 sixgate.open rule 1 443/tcp",
      by: "labels",
      host: "vm1",
      container: "c1",
      holder: { container: "c1", networkId: "n1" },
      to: front.address,
      service: { kind: "ports", transport: "tcp", ports: { first: 443, last: 443 } },
      from: [{ kind: "prefix", prefix: "::/0" }],
      lease: { kind: "for", length: 7_200 },
      since: 1_000,
      asked: { at: "sixgate.open rule 1", text: "443/tcp+udp for 2h # web", comment: "web" },
    });
  });

  test("asks for nothing by EXPOSE, by -p or without labels", () => {
    const ports = [{ transport: "tcp" as const, ports: { first: 80, last: 80 } }];
    expect(ask(report({ labels: {}, published: ports, exposed: ports }))).toMatchObject({ asked: [], refused: [] });
  });

  test("takes what is published where the label says so", () => {
    const published = [{ transport: "udp" as const, ports: { first: 53, last: 53 } }];
    const labels = { "sixgate.open": "published,53,443" };
    expect(ask(report({ labels, published })).asked.map((each) => each.slice(26))).toEqual([
      "53/tcp",
      "443/tcp",
      "53/udp",
    ]);
    const without = ask(report({ labels }));
    expect(without.asked).toHaveLength(2);
    expect(without.refused).toEqual(["sixgate.open rule 1 E919"]);
  });

  test("judges each address of several networks, and keeps to those that are named", () => {
    const endpoints = [back, front];
    expect(ask(report({ endpoints })).asked).toEqual([`${back.address} 443/tcp`, `${front.address} 443/tcp`]);
    for (const network of ["shop_front", "front"])
      expect(ask(report({ endpoints, labels: { "sixgate.open": "443", "sixgate.network": network } })).asked).toEqual([
        `${front.address} 443/tcp`,
      ]);
  });

  test("opens nothing for a network that the container is not on", () => {
    const labels = { "sixgate.open": "443; ping", "sixgate.network": "frnt" };
    const { asked, refusals, refused } = ask(report({ labels }));
    expect(asked).toEqual([]);
    expect(refused).toEqual(["sixgate.open rule 1 E908", "sixgate.open rule 2 E908"]);
    expect(refusals[0]?.fix).toBe('it has one on "shop_front"');
  });

  test("waits while a container starts: it has no address yet, or not all", () => {
    expect(ask(report({ state: "starting", endpoints: [] }))).toMatchObject({ asked: [], refused: [] });
    const labels = { "sixgate.open": "443", "sixgate.network": "front,back" };
    expect(ask(report({ state: "starting", labels }))).toMatchObject({
      asked: [`${front.address} 443/tcp`],
      refused: [],
    });
  });

  test.each([
    ["no network", report({ endpoints: [] })],
    ["the network none", report({ mode: "none", endpoints: [] })],
    ["the host's network", report({ mode: "host", endpoints: [] })],
    ["the host's network, whatever it says of addresses", report({ mode: "host" })],
    ["the network of a container that is not there", report({ mode: "container", sharesWith: "c9", endpoints: [] })],
    ["its own network in a circle", report({ mode: "container", sharesWith: "c1" })],
    ["the network of nobody", report({ mode: "container" })],
  ])("refuses a container with %s", (_, container) => {
    expect(ask(container)).toMatchObject({ asked: [], refused: ["sixgate.open rule 1 E909"] });
  });

  test("lands at the container whose network is shared, found by id or name, also over two", () => {
    const vpn = report({ id: "c2", name: "vpn", labels: {}, endpoints: [back] });
    const middle = report({ id: "c3", name: "middle", mode: "container", sharesWith: "c2", labels: {}, endpoints: [] });
    for (const sharesWith of ["c2", "vpn", "c3"]) {
      const { requests, refused } = ask(report({ mode: "container", sharesWith, endpoints: [] }), {}, vpn, middle);
      expect(refused).toEqual([]);
      expect(requests).toMatchObject([
        { container: "c1", holder: { container: "c2", networkId: "n2" }, to: back.address },
      ]);
    }
    const byHost = report({ id: "c2", name: "vpn", labels: {}, mode: "host" });
    expect(ask(report({ mode: "container", sharesWith: "vpn" }), {}, byHost).refused).toEqual([
      "sixgate.open rule 1 E909",
    ]);
  });

  test("opens nothing by labels of the image, and says so", () => {
    const rule = { "sixgate.rule.a.from": "@office", "sixgate.rule.a.ports": "23" };
    const imageLabels = { "sixgate.open": "22", ...rule, "sixgate.opne": "1", maintainer: "acme" };
    const own = ask(report({ imageLabels }));
    expect(own.asked).toEqual([`${front.address} 443/tcp`]);
    expect(own.refused).toEqual(["sixgate.opne E910", "sixgate.rule.a.from E910", "sixgate.rule.a.ports E910"]);
    const none = ask(report({ imageLabels, labels: {} }));
    expect(none.asked).toEqual([]);
    expect(none.refused).toEqual(["sixgate.open E910", ...own.refused]);
  });

  // The container may have said the same: then it can't be told from the image's label, and must not be lost.
  test("lets labels of the image narrow", () => {
    const narrow = (imageLabels: Record<string, string>, labels: Record<string, string>) =>
      ask(report({ imageLabels, labels, endpoints: [back, front] }));
    const open = { "sixgate.open": "443" };
    expect(narrow({ "sixgate.network": "front" }, open)).toMatchObject({
      asked: [`${front.address} 443/tcp`],
      refused: [],
    });
    expect(narrow({ "sixgate.enable": "false" }, open)).toMatchObject({ asked: [], refused: [] });
    const rule = { "sixgate.rule.web.ports": "22" };
    const limited = narrow({ "sixgate.rule.web.from": "@office", "sixgate.rule.web.for": "2h" }, rule);
    expect(limited.refused).toEqual([]);
    expect(limited.requests[0]).toMatchObject({ from: [{ kind: "group", name: "office" }], lease: { length: 7_200 } });
    expect(narrow({ "sixgate.rule.web.from": "office" }, rule)).toMatchObject({
      asked: [],
      refused: ["sixgate.rule.web.from column 1 E906"],
    });
  });

  test("refuses a rule that a protocol of the image would change", () => {
    const labels = { "sixgate.open": "443", "sixgate.rule.dns.ports": "53", "sixgate.rule.web.ports": "80" };
    const { asked, refused, refusals } = ask(report({ labels, imageLabels: { "sixgate.rule.dns.proto": "udp" } }));
    expect(asked).toEqual([`${front.address} 443/tcp`, `${front.address} 80/tcp`]);
    expect(refused).toEqual(["sixgate.rule.dns.proto E910"]);
    expect(refusals[0]?.why).toContain("rule dns");
    const alone = ask(report({ imageLabels: { "sixgate.rule.dns.proto": "udp", "sixgate.rule.dns.ports": "53" } }));
    expect(alone.asked).toEqual([`${front.address} 443/tcp`]);
  });

  test.each([
    ["registry.example.net:5000/acme/web:1.2", true],
    ["registry.example.net:5000/acme/web", true],
    ["registry.example.net", false],
    ["registry.example.net:5000/acme/we", false],
    ["registry.example.net:5000/acme/web:1", false],
    ["", false],
  ])("takes labels of the image where policy trusts %j: %s", (entry, trusted) => {
    const container = report({ labels: {}, imageLabels: { "sixgate.open": "22" } });
    expect(ask(container, { trustImages: [entry] }).asked.length === 1).toBe(trusted);
  });

  test("trusts an image by its id", () => {
    const imageId = "sha256:0123abcd";
    const container = report({ labels: {}, imageId, imageLabels: { "sixgate.open": "22" } });
    expect(ask(container, { trustImages: [imageId] }).asked).toEqual([`${front.address} 22/tcp`]);
    expect(ask(container, { trustImages: ["sha256"] }).asked).toEqual([]);
  });

  test("trusts a digest, and lets the container's own labels go before", () => {
    const image = "acme/web@sha256:0123";
    const container = report({ image, labels: { "sixgate.open": "443" }, imageLabels: { "sixgate.open": "22" } });
    expect(ask(container, { trustImages: [image] }).asked).toEqual([`${front.address} 443/tcp`]);
    expect(ask(container, { trustImages: ["acme/web"] }).asked).toEqual([`${front.address} 443/tcp`]);
  });

  test("ties what can't be read to the rule's text, encoded", () => {
    const { refusals } = ask(report({ labels: { "sixgate.open": "80; 22 from \u202eoffice" } }));
    expect(refusals).toMatchObject([
      {
        at: "sixgate.open rule 2 column 9",
        text: "22 from \\u{202e}office",
        code: "E906",
        why: 'Not a source: "\\u{202e}office"',
      },
    ]);
  });

  test("encodes what reports say of networks", () => {
    const endpoints = [{ ...front, network: "fr\u001b[2Jont" }];
    const { refusals } = ask(report({ endpoints, labels: { "sixgate.open": "443", "sixgate.network": "fr-Jont" } }));
    for (const { why, fix, text } of refusals) expect(why + fix + text).not.toMatch(/\p{Cc}/u);
    expect(refusals).toHaveLength(1);
  });
});
