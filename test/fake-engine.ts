import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EngineEvent } from "../src/agent/sight.ts";
import { ModelEngine } from "./model-engine.ts";

/** What differs between engines, as far as an agent can see it. */
export type Flavour = {
  readonly version: string;
  readonly api: string;
  readonly least: string;
  readonly dieFirst: boolean;
};

export const flavours: Readonly<Record<"20.10" | "26.1" | "28.5" | "29", Flavour>> = {
  "20.10": { version: "20.10.24+dfsg1", api: "1.41", least: "1.12", dieFirst: true },
  "26.1": { version: "26.1.5+dfsg1", api: "1.45", least: "1.24", dieFirst: false },
  "28.5": { version: "28.5.2", api: "1.51", least: "1.24", dieFirst: false },
  "29": { version: "29.7.2", api: "1.55", least: "1.40", dieFirst: false },
};

/** In every answer where an engine has secrets: an agent must not carry it anywhere. */
export const canary = "CANARY-PASSWORD";

/** Events that an engine remembers (moby's eventsLimit). */
const kept = 256;

/** A model engine that speaks HTTP on a unix socket of its own, in the shapes of one version. */
export class FakeEngine {
  readonly flavour: Flavour;
  model: ModelEngine;
  readonly path: string;
  /** Method and path of every request, without its query. */
  readonly asked: string[] = [];
  /** How many of the next requests, but for events, are answered with 500. */
  failing = 0;
  /** Milliseconds that each answer takes. */
  slow = 0;
  /** While true, events happen and nobody is told. */
  deaf = false;
  readonly images = new Map<string, Readonly<Record<string, string>>>([["sha256:a", {}]]);
  readonly #folder: string;
  #server: Server | undefined;
  readonly #streams = new Set<ServerResponse>();
  #told = 0;

  private constructor(flavour: Flavour, folder: string) {
    this.flavour = flavour;
    this.#folder = folder;
    this.path = join(folder, "docker.sock");
    this.model = new ModelEngine({ dieFirst: flavour.dieFirst });
  }

  static async start(flavour: Flavour): Promise<FakeEngine> {
    const fake = new FakeEngine(flavour, await mkdtemp(join(tmpdir(), "sixgate-engine-")));
    await fake.up();
    return fake;
  }

  async up(): Promise<void> {
    const server = createServer((request, response) => void this.#answer(request, response));
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(this.path, resolve));
  }

  /** The engine ends: connections break, what it remembers of events is gone. Containers are the model's. */
  async down(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
    this.model.events.length = 0;
    this.#told = 0;
  }

  async end(): Promise<void> {
    await this.down();
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** Ends the streams of events, and nothing else. */
  cut(): void {
    for (const stream of this.#streams) stream.destroy();
  }

  /** Does something to the model, and tells all that came of it in one write. */
  act(work: (model: ModelEngine) => void): void {
    work(this.model);
    const news = this.model.events.slice(this.#told);
    this.#told = this.model.events.length;
    if (this.deaf) return;
    const text = news.map((event) => this.eventLine(event)).join("");
    for (const stream of this.#streams) stream.write(text);
  }

  /** Writes this into every stream, whatever it is. */
  say(text: string): void {
    for (const stream of this.#streams) stream.write(text);
  }

  get streams(): number {
    return this.#streams.size;
  }

  eventLine(event: EngineEvent): string {
    const own = this.model.containers.get(event.container);
    const type = event.network === undefined ? "container" : "network";
    const attributes =
      event.network === undefined
        ? { name: own?.name ?? "", image: "web", exitCode: "0", ...own?.labels }
        : { container: event.container, name: "bridge", type: "bridge" };
    const actor = { ID: event.network ?? event.container, Attributes: attributes };
    const old =
      type === "container" && Number(this.flavour.api.slice(2)) < 52
        ? { status: event.action, id: event.container, from: "web" }
        : {};
    const nano = `${Math.floor(event.at)}${String(Math.round((event.at % 1) * 1e6)).padStart(6, "0")}`;
    const text = JSON.stringify({ ...old, Type: type, Action: event.action, Actor: actor, scope: "local" });
    return `${text.slice(0, -1)},"time":${Math.floor(event.at / 1000)},"timeNano":${nano}}\n`;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://engine");
    this.asked.push(`${request.method ?? ""} ${url.pathname}`);
    const path = url.pathname.replace(/^\/v1\.\d+/, "");
    if (path === "/events") return this.#stream(url, response);
    if (this.slow > 0) await new Promise((resolve) => setTimeout(resolve, this.slow));
    if (this.failing > 0 && path !== "/version") {
      this.failing--;
      return this.#send(response, 500, { message: `secret ${canary}` });
    }
    const found = this.#found(path, url.searchParams.get("filters"));
    this.#send(response, found === undefined ? 404 : 200, found ?? { message: "no such thing" });
  }

  #send(response: ServerResponse, status: number, value: unknown): void {
    response.writeHead(status, { "content-type": "application/json", "api-version": this.flavour.api });
    response.end(JSON.stringify(value));
  }

  #stream(url: URL, response: ServerResponse): void {
    const since = url.searchParams.get("since");
    response.writeHead(200, { "content-type": "application/json" });
    response.flushHeaders();
    this.#streams.add(response);
    response.on("close", () => this.#streams.delete(response));
    if (since === null) return;
    const old = this.model.events.slice(-kept).filter((event) => event.at / 1000 >= Number(since));
    response.write(old.map((event) => this.eventLine(event)).join(""));
  }

  #found(path: string, filters: string | null): unknown {
    const { model, flavour } = this;
    if (path === "/version") return { Version: flavour.version, ApiVersion: flavour.api, MinAPIVersion: flavour.least };
    if (path === "/containers/json") {
      const { id, status } = JSON.parse(filters ?? "{}") as { id?: string[]; status?: string[] };
      const ids = id ?? [...model.containers.keys()];
      const all = ids.map((each) => this.listed(each)).filter((each) => each !== undefined);
      return status === undefined ? all : all.filter((each) => status.includes(String(each["State"])));
    }
    const [, kind, name = ""] = /^\/(networks|images)\/([^/]+?)(?:\/json)?$/.exec(path) ?? [];
    if (kind === "networks") return this.inspected(decodeURIComponent(name));
    const labels = this.images.get(decodeURIComponent(name));
    if (kind !== "images" || labels === undefined) return undefined;
    return { Id: name, RepoTags: ["web"], Config: { Env: [`PASSWORD=${canary}`], Labels: labels, Cmd: [canary] } };
  }

  listed(id: string): Readonly<Record<string, unknown>> | undefined {
    const sight = this.model.sight(id);
    if (sight === undefined) return undefined;
    const runs = sight.status !== "stopped";
    const networks = Object.fromEntries(
      [...sight.attachments].map(([networkId, { network, address }]) => [
        network,
        {
          IPAMConfig: null,
          Links: null,
          Aliases: null,
          MacAddress: "02:42:ac:11:00:02",
          NetworkID: networkId,
          EndpointID: networkId,
          Gateway: "172.17.0.1",
          IPAddress: "172.17.0.2",
          IPPrefixLen: 16,
          IPv6Gateway: "2001:db8:1:2:21::1",
          GlobalIPv6Address: address,
          GlobalIPv6PrefixLen: 80,
        },
      ]),
    );
    return {
      Id: id,
      Names: [`/other/${sight.name}`, `/${sight.name}`],
      Image: sight.image,
      ImageID: sight.imageId,
      Command: `serve --password ${canary}`,
      Created: 1_800_000_000,
      Ports: runs
        ? [
            { IP: "::", PrivatePort: 80, PublicPort: 8080, Type: "tcp" },
            { IP: "127.0.0.1", PrivatePort: 82, PublicPort: 8082, Type: "tcp" },
            { PrivatePort: 90, Type: "tcp" },
            { PrivatePort: 91, Type: "tcp" },
          ]
        : [],
      Labels: { "com.docker.compose.project": "shop", secret: canary, ...sight.labels },
      State: sight.status === "stopped" ? "exited" : sight.status,
      Status: "Up",
      HostConfig: { NetworkMode: sight.mode === "bridge" ? "default" : sight.mode },
      NetworkSettings: { Networks: networks },
      Mounts: [{ Type: "bind", Source: `/root/${canary}`, Destination: "/data" }],
    };
  }

  inspected(id: string): unknown {
    const network = this.model.network(id);
    if (network === undefined) return undefined;
    return {
      Name: network.name,
      Id: network.id,
      Scope: "local",
      Driver: "bridge",
      EnableIPv4: true,
      EnableIPv6: true,
      Internal: false,
      Containers: Object.fromEntries([
        ["ep-0123456789", { Name: "", IPv6Address: "2001:db8:1:2:21::99/80" }],
        ...[...network.members].map(([container, address]) => [
          container,
          { Name: "x", EndpointID: id, MacAddress: "", IPv4Address: "172.17.0.2/16", IPv6Address: `${address}/80` },
        ]),
      ]),
      Options: {},
      Labels: {},
      ...(Number(this.flavour.api.slice(2)) >= 52 ? { Status: { IPAM: { Subnets: {} } } } : {}),
    };
  }
}
