import { answerLines, type OllamaReply, ScriptedOllama } from "../../support/scripted-ollama.ts";
import {
  type CapturedRequest,
  chatEvents,
  type OpenAiReply,
  ScriptedOpenAi,
} from "../../support/scripted-openai.ts";
import { type Script, ScriptedTasks } from "../../support/scripted-tasks.ts";
import { TlsFront } from "../../support/tls-front.ts";
import { SdkServer, said, tool } from "../mcp/sdk-server.ts";
import type { PlantedSecrets } from "./planted-secrets.ts";

/** The name of the header that the tool server takes its key from. */
export const TOOL_KEY = "x-api-key";
/** The header that a ModelConfig sends with every request. */
export const TENANT = "x-tenant";

/** What is not ours: models, a tool server behind TLS, another platform's agent. All of them talk of secrets. */
export class Outside {
  readonly openAi: ScriptedOpenAi;
  readonly ollama: ScriptedOllama;
  readonly tools: SdkServer;
  readonly front: TlsFront;
  readonly helpers: ScriptedTasks;
  readonly #secrets: PlantedSecrets;
  /** Whether the tool server lets nobody in. */
  refusing = false;

  private constructor(
    secrets: PlantedSecrets,
    servers: Pick<Outside, "openAi" | "ollama" | "tools" | "front">,
  ) {
    this.#secrets = secrets;
    this.openAi = servers.openAi;
    this.ollama = servers.ollama;
    this.tools = servers.tools;
    this.front = servers.front;
    this.helpers = new ScriptedTasks({ "kagent/helper": helperOf(secrets) });
    this.#furnish();
  }

  static async start(secrets: PlantedSecrets): Promise<Outside> {
    const ollama: ScriptedOllama = await ScriptedOllama.start({
      onChat: (chat) =>
        ollamaReply(JSON.stringify(chat.messages), ollama.headers.at(-1)?.authorization ?? ""),
    });
    const openAi = await ScriptedOpenAi.start((request) => openAiReply(request, secrets));
    const tools = await SdkServer.start();
    const front = await TlsFront.start(tools.url);
    return new Outside(secrets, { openAi, ollama, tools, front });
  }

  /** Headers that some request to the tool server had. */
  sawHeader(name: string, value: string): boolean {
    return this.tools.requests.some(({ headers }) => headers[name] === value);
  }

  async close(): Promise<void> {
    await this.openAi.close();
    await this.ollama.close();
    await this.front.close();
    await this.tools.close();
  }

  #furnish(): void {
    const { tools } = this;
    const key = (): string => textOf(tools.requests.at(-1)?.headers[TOOL_KEY]);
    const authorization = (): string => textOf(tools.requests.at(-1)?.headers.authorization);
    tools.pages = [["read", "leak", "echo", "fail", "write"].map((name) => tool(name))];
    tools.answers = {
      read: () => said("fine"),
      leak: () => said(`DB_PASSWORD=${this.#secrets.toolSaid.value} is what the pod has`),
      // In the server's own words: no rule knows these for a credential by their form.
      echo: () => said(`hello ${key()}, and ${authorization()}`),
      fail: () => {
        throw new Error(`not for ${key()}`);
      },
    };
    tools.intercept = (request, response) => {
      if (!this.refusing) return false;
      const body = { error: `not for ${textOf(request.headers[TOOL_KEY])}` };
      response.writeHead(401, { "content-type": "application/json" }).end(JSON.stringify(body));
      return true;
    };
  }
}

function textOf(header: string | readonly string[] | undefined): string {
  return typeof header === "string" ? header : "nobody";
}

/** What people say to scripted models: `go:VERB-DETAIL`. */
function orderIn(text: string): readonly [string, string] {
  const [, verb = "ok", detail = ""] = [...text.matchAll(/go:([a-z]+)-?([a-z-]*)/g)].at(-1) ?? [];
  return [verb, detail];
}

function openAiReply({ body, headers }: CapturedRequest, secrets: PlantedSecrets): OpenAiReply {
  const messages = body["messages"] as readonly { role: string }[];
  if (messages.at(-1)?.role === "tool") return { events: chatEvents({ text: ["done"] }) };
  const [verb, detail] = orderIn(JSON.stringify(messages.at(-1)));
  const refused = (message: string) => ({
    status: 401,
    body: JSON.stringify({ error: { message } }),
  });
  if (body["model"] === "refuser") return refused(`bad key ${secrets.summarizerSaid.value}`);
  switch (verb) {
    case "refuse":
      return refused(`the value ${String(headers[detail])} is not known here`);
    case "cut": // where 300 characters, of which an error quotes no more, end within the secret
      return refused(`${"x".repeat(285)} ${String(headers[detail])}`);
    case "foreign":
      return refused(`Incorrect API key provided: ${secrets.providerSaid.value}.`);
    case "midway":
      return { events: [{ error: { message: `no ${String(headers["authorization"])}` } }] };
    case "hang":
      return { silence: true };
    case "call":
      return { events: chatEvents({ calls: [{ id: "c1", name: detail, args: { text: "x" } }] }) };
    case "ask": {
      const [name = ""] = toolNames(body).filter((one) => one.includes("helper"));
      const args = { request: detail };
      return { events: chatEvents({ calls: [{ id: "c1", name, args }] }) };
    }
    default:
      return { events: chatEvents({ text: ["ok"] }) };
  }
}

function toolNames(body: Readonly<Record<string, unknown>>): readonly string[] {
  const tools = body["tools"] as readonly { readonly function: { readonly name: string } }[];
  return tools.map(({ function: { name } }) => name);
}

function ollamaReply(messages: string, authorization: string): OllamaReply {
  const [verb] = orderIn(messages);
  const error = `the value ${authorization} is not known here`;
  if (verb === "refuse") return { status: 401, body: JSON.stringify({ error }) };
  if (verb === "midway") return { lines: [{ error }] };
  return { lines: answerLines({ text: ["ok"] }) };
}

function helperOf({ delegateSaid, delegateFailed, delegateTool }: PlantedSecrets): Script {
  return (turn) => {
    const text = JSON.stringify(turn.request.parts);
    const call = { callId: "h1", name: "look" } as const;
    turn.emit({ ...call, type: "tool-call", args: {}, target: { kind: "mcp", ref: "kagent/x" } });
    const parts = [{ text: `password=${delegateTool.value}` }];
    turn.emit({ ...call, type: "tool-result", ok: true, parts, ms: 1 });
    if (text.includes("fail")) throw new Error(`cannot log in with token=${delegateFailed.value}`);
    turn.say(`log in with password=${delegateSaid.value}`);
  };
}
