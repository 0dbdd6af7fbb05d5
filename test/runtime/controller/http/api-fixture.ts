import { randomUUID } from "node:crypto";
import type { Hono } from "hono";
import { type Cluster, RESOURCES, type ResourceType } from "../../../../runtime/api/cluster.ts";
import type { KubeObject } from "../../../../runtime/api/cluster-reader.ts";
import { AgentDirectory } from "../../../../runtime/controller/agent-directory.ts";
import type { HttpApiDeps } from "../../../../runtime/controller/http/http-api-deps.ts";
import { httpApi } from "../../../../runtime/controller/http-api.ts";
import { MemoryCluster } from "../../../../runtime/kube/memory-cluster.ts";
import { openStore, type Store } from "../../../../runtime/store/open-store.ts";
import { FakeClock } from "../../../support/fake-clock.ts";

/** An answer, read. */
export interface Answer<T = unknown> {
  readonly status: number;
  /** What `data` holds, or the whole body of an endpoint without envelope. */
  readonly data: T;
  readonly error: string | undefined;
}

const signal = new AbortController().signal;

/** The HTTP API over an in-memory cluster; the directory is what the cluster holds when it is asked. */
export class TestApi {
  readonly clock = new FakeClock();
  readonly cluster: Cluster = new MemoryCluster({ clock: this.clock, newId: randomUUID });
  readonly store: Store;
  readonly directory = new AgentDirectory({ value: () => undefined, agentUrl: () => "http://a/" });
  readonly #app: Hono;

  private constructor(store: Store, over: (api: TestApi) => Partial<HttpApiDeps>) {
    this.store = store;
    this.#app = httpApi({
      directory: this.directory,
      sessions: store.sessions,
      caller: (request) => ({
        user: request.headers.get("x-user-id") ?? "ana",
        groups: request.headers.get("x-user-groups")?.split(",") ?? [],
        headers: Object.fromEntries(request.headers),
      }),
      ready: () => true,
      version: { version: "1", commit: "c" },
      access: {
        cluster: this.cluster,
        namespace: "kagent",
        watched: "all",
        writers: { users: [], groups: [] },
        models: { list: () => Promise.resolve(["m-2", "m-3"]) },
      },
      memories: store.agentMemories,
      shares: store.shares,
      feedback: store.feedback,
      clock: this.clock,
      ...over(this),
    });
  }

  static async open(over: (api: TestApi) => Partial<HttpApiDeps> = () => ({})): Promise<TestApi> {
    return new TestApi(await openStore({ path: ":memory:" }), over);
  }

  close(): Promise<void> {
    return this.store.close();
  }

  /** Puts objects into the cluster and shows the directory what is there. */
  async put(...objects: readonly unknown[]): Promise<void> {
    for (const object of objects as readonly KubeObject[])
      await this.cluster.create(RESOURCES[object.kind as keyof typeof RESOURCES], object, signal);
    await this.sync();
  }

  /** What informers do. */
  async sync(): Promise<void> {
    const kinds = ["Agent", "ModelConfig", "RemoteMCPServer", "ModelProviderConfig"] as const;
    const lists = await Promise.all(
      kinds.map((kind) => this.cluster.list(RESOURCES[kind], {}, signal)),
    );
    this.directory.load(lists.flatMap(({ items }) => items));
  }

  get(type: ResourceType, name: string, namespace = "kagent") {
    return this.cluster.get(type, { namespace, name }, signal);
  }

  async call<T = unknown>(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer<T>> {
    const response = await this.#app.request(path, {
      method,
      headers: { "content-type": "application/json", ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    await this.sync();
    const read = (await response.json()) as { error?: unknown; data?: T };
    const { error } = read;
    return {
      status: response.status,
      data: error === false ? (read.data as T) : (read as T),
      error: typeof error === "string" ? error : undefined,
    };
  }
}
