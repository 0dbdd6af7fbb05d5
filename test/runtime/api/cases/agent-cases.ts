import { type ObjectCase, refuses, refusesHere, takes, times } from "./object-case.ts";

type Fields = Readonly<Record<string, unknown>>;

/** An Agent with this spec. */
export function agent(spec: unknown, metadata: Fields = {}): Fields {
  return {
    apiVersion: "kagent.dev/v1alpha2",
    kind: "Agent",
    metadata: { name: "sample", ...metadata },
    spec,
  };
}

const declarative = (fields: Fields): Fields => agent({ declarative: fields });
const tools = (...list: readonly unknown[]): Fields => declarative({ tools: list });
const mcp = (fields: Fields): Fields => ({
  type: "McpServer",
  mcpServer: { name: "k8s", ...fields },
});
const byo = (deployment: Fields): Fields => agent({ type: "BYO", byo: { deployment } });
const routing = (fields: Fields): Fields =>
  declarative({
    routing: { rules: [{ name: "a", keywords: ["pods"], agent: { name: "b" } }], ...fields },
  });
const rule = (fields: Fields): Fields =>
  routing({ rules: [{ name: "a", keywords: ["pods"], agent: { name: "b" }, ...fields }] });
const refusal = (match: unknown, fields: Fields = {}): Fields =>
  declarative({ refusal: { rules: [{ name: "a", match, ...fields }] } });
const handoff = (fields: Fields): Fields =>
  declarative({ handoffs: [{ when: "true", agent: { name: "b" }, ...fields }] });
const compaction = (fields: Fields): Fields => declarative({ context: { compaction: fields } });
const skill = (fields: Fields): Fields =>
  declarative({ a2aConfig: { skills: [{ name: "a", ...fields }] } });

const ONE_TYPE = /^declarative is required for type Declarative, byo is required for type BYO$/;
const D = "spec.declarative";

const SPEC: readonly ObjectCase[] = [
  takes("a Declarative agent without type", declarative({})),
  takes("a BYO agent", agent({ type: "BYO", byo: {} })),
  takes("both blocks, as kagent does", agent({ type: "BYO", byo: {}, declarative: {} })),
  refuses("a spec without a block", agent({}), "spec", ONE_TYPE),
  refuses("BYO with declarative only", agent({ type: "BYO", declarative: {} }), "spec", ONE_TYPE),
  refuses(
    "a type that is none",
    agent({ type: "Remote", declarative: {} }),
    "spec.type",
    /^must be "Declarative" or "BYO"$/,
  ),
  refuses("a spec that is a list", agent([]), "spec", /^must be an object, is a list$/),
  refuses(
    "an unknown field of the spec",
    agent({ declarative: {}, modelConfig: "a" }),
    "spec.modelConfig",
    /^unknown field "modelConfig"$/,
  ),
  refuses(
    "a misspelt field, and says which was meant",
    declarative({ sytemMessage: "x" }),
    `${D}.sytemMessage`,
    /^unknown field "sytemMessage"; did you mean "systemMessage"\?$/,
  ),
  refuses(
    "a number for a string",
    agent({ declarative: {}, description: 5 }),
    "spec.description",
    /^must be a string, is an integer \(put it in quotes\)$/,
  ),
  takes("null for a field that is not needed", declarative({ systemMessage: null, tools: null })),
  takes("null for a field with a default", agent({ type: null, declarative: { runtime: null } })),
  refuses(
    "null for a field that is needed",
    tools(mcp({ name: null })),
    `${D}.tools[0].mcpServer.name`,
    /^is required$/,
  ),
  refuses("null in a list", tools(null), `${D}.tools[0]`, /^must be an object, is null$/),
  takes("workers pooled", agent({ declarative: {}, workers: "pooled" })),
  refuses(
    "workers of another kind",
    agent({ declarative: {}, workers: "shared" }),
    "spec.workers",
    /^must be "dedicated" or "pooled"$/,
  ),
];

const METADATA: readonly ObjectCase[] = [
  takes("labels with a prefix", agent({ declarative: {} }, { labels: { "a.b/c": "D_e.f" } })),
  refuses(
    "an object without a name",
    { ...agent({ declarative: {} }), metadata: {} },
    "metadata.name",
    /^is required$/,
  ),
  refuses(
    "a name with capitals",
    agent({ declarative: {} }, { name: "Sample" }),
    "metadata.name",
    /^must be lower-case letters/,
  ),
  refuses(
    "an unknown field of the metadata",
    agent({ declarative: {} }, { lables: {} }),
    "metadata.lables",
    /^unknown field "lables"; did you mean "labels"\?$/,
  ),
  {
    ...refuses(
      "a label's key with a space",
      agent({ declarative: {} }, { labels: { "a b": "c" } }),
      'metadata.labels["a b"]',
      /^the key must be a name/,
    ),
    server: ["metadata.labels"],
  },
  {
    ...refuses(
      "a label's value with a space",
      agent({ declarative: {} }, { labels: { a: "b c" } }),
      "metadata.labels.a",
      /^must be letters, digits/,
    ),
    server: ["metadata.labels"],
  },
];

const CARD: readonly ObjectCase[] = [
  takes(
    "what the card shows",
    agent({
      declarative: {},
      iconUrl: "/icons/a.png",
      documentationUrl: "https://example.com/docs?a=b#c",
      version: "1.2",
      provider: { organization: "Example", url: "mailto:team@example.com" },
    }),
  ),
  ...["", "docs", "http://a b/", "http://a/%zz", "http://a:b/", "//a b/c d%", ":a", "1a:b"].map(
    (iconUrl) =>
      refuses(
        `${JSON.stringify(iconUrl)} as a URI`,
        agent({ declarative: {}, iconUrl }),
        "spec.iconUrl",
        /^must be a URI such as/,
      ),
  ),
  ...["*", "a:", "http://", "http://a/ b", "//a b", "http://u:p@[::1]:80/", "x://ä/é", "/%41"].map(
    (iconUrl) => takes(`${JSON.stringify(iconUrl)} as a URI`, agent({ declarative: {}, iconUrl })),
  ),
  refuses(
    "a provider without organization",
    agent({ declarative: {}, provider: { organization: "", url: "https://example.com" } }),
    "spec.provider.organization",
    /^must not be empty$/,
  ),
  refuses(
    "a provider without URL",
    agent({ declarative: {}, provider: { organization: "a" } }),
    "spec.provider.url",
    /^is required$/,
  ),
  takes("20 examples of a skill", skill({ examples: times(20, String) })),
  refuses(
    "21 examples of a skill",
    skill({ examples: times(21, String) }),
    `${D}.a2aConfig.skills[0].examples`,
    /^must have at most 20 items, has 21$/,
  ),
  refuses(
    "21 tags of a skill",
    skill({ tags: times(21, String) }),
    `${D}.a2aConfig.skills[0].tags`,
    /^must have at most 20 items, has 21$/,
  ),
  refuses(
    "a skill without name",
    skill({ name: "" }),
    `${D}.a2aConfig.skills[0].name`,
    /^must not be empty$/,
  ),
  refuses(
    "an empty list of skills",
    declarative({ a2aConfig: { skills: [] } }),
    `${D}.a2aConfig.skills`,
    /^must have at least 1 item, has 0$/,
  ),
];

const NAMESPACES: readonly ObjectCase[] = [
  takes(
    "a selector of namespaces",
    agent({
      declarative: {},
      allowedNamespaces: {
        from: "Selector",
        selector: { matchExpressions: [{ key: "a", operator: "In", values: ["b"] }] },
      },
    }),
  ),
  refuses(
    "Selector without selector",
    agent({ declarative: {}, allowedNamespaces: { from: "Selector" } }),
    "spec.allowedNamespaces",
    /^selector is required when from is Selector$/,
  ),
  refuses(
    "namespaces from nowhere",
    agent({ declarative: {}, allowedNamespaces: { from: "None" } }),
    "spec.allowedNamespaces.from",
    /^must be "All", "Same" or "Selector"$/,
  ),
  refuses(
    "an expression without operator",
    agent({
      declarative: {},
      allowedNamespaces: { from: "Selector", selector: { matchExpressions: [{ key: "a" }] } },
    }),
    "spec.allowedNamespaces.selector.matchExpressions[0].operator",
    /^is required$/,
  ),
];

const SKILLS: readonly ObjectCase[] = [
  takes(
    "skills from everywhere",
    agent({
      declarative: {},
      skills: {
        refs: ["example/skill:1"],
        gitRefs: [{ url: "https://example.com/a.git" }],
        s3Refs: [{ uri: "s3://bucket/a" }],
        imagePullSecrets: [{ name: "a" }],
        gitAuthSecretRef: { name: "b" },
        initContainer: { resources: { limits: { cpu: 1 } }, env: [{ name: "A", value: "b" }] },
      },
    }),
  ),
  ...(
    [
      ["refs", "example/skill:1"],
      ["gitRefs", { url: "https://example.com/a.git" }],
      ["s3Refs", { uri: "s3://bucket/a" }],
    ] as const
  ).flatMap(([field, item]) => [
    refuses(
      `an empty list of ${field}`,
      agent({ declarative: {}, skills: { [field]: [] } }),
      `spec.skills.${field}`,
      /^must have at least 1 item, has 0$/,
    ),
    refuses(
      `21 ${field}`,
      agent({ declarative: {}, skills: { [field]: times(21, () => item) } }),
      `spec.skills.${field}`,
      /^must have at most 20 items, has 21$/,
    ),
  ]),
  refuses(
    "21 image pull secrets of skills",
    agent({ declarative: {}, skills: { imagePullSecrets: times(21, () => ({ name: "a" })) } }),
    "spec.skills.imagePullSecrets",
    /^must have at most 20 items, has 21$/,
  ),
  refuses(
    "a skill of git without URL",
    agent({ declarative: {}, skills: { gitRefs: [{ name: "a" }] } }),
    "spec.skills.gitRefs[0].url",
    /^is required$/,
  ),
  refuses(
    "a skill of s3 at another place",
    agent({ declarative: {}, skills: { s3Refs: [{ uri: "https://example.com" }] } }),
    "spec.skills.s3Refs[0].uri",
    /^must begin with "s3:\/\/" and name a bucket$/,
  ),
];

const PROMPT: readonly ObjectCase[] = [
  takes(
    "a system message from a ConfigMap",
    declarative({ systemMessageFrom: { type: "ConfigMap", name: "a", key: "b" } }),
  ),
  refuses(
    "two system messages",
    declarative({
      systemMessage: "a",
      systemMessageFrom: { type: "Secret", name: "a", key: "b" },
    }),
    D,
    /^only one of systemMessage, systemMessageFrom may be set$/,
  ),
  refuses(
    "a source of another kind",
    declarative({ systemMessageFrom: { type: "Pod", name: "a", key: "b" } }),
    `${D}.systemMessageFrom.type`,
    /^must be "ConfigMap" or "Secret"$/,
  ),
  refuses(
    "a source whose name is too long",
    declarative({ systemMessageFrom: { type: "Secret", name: "a".repeat(254), key: "b" } }),
    `${D}.systemMessageFrom.name`,
    /^must have at most 253 characters, has 254$/,
  ),
  refuses(
    "a source whose key is too long",
    declarative({ systemMessageFrom: { type: "Secret", name: "a", key: "b".repeat(254) } }),
    `${D}.systemMessageFrom.key`,
    /^must have at most 253 characters, has 254$/,
  ),
  takes(
    "253 characters that need two units each",
    declarative({ systemMessageFrom: { type: "Secret", name: "😀".repeat(253), key: "b" } }),
  ),
  refuses(
    "21 sources of a template",
    declarative({ promptTemplate: { dataSources: times(21, () => ({ name: "a" })) } }),
    `${D}.promptTemplate.dataSources`,
    /^must have at most 20 items, has 21$/,
  ),
  refuses(
    "a runtime that is none",
    declarative({ runtime: "node" }),
    `${D}.runtime`,
    /^must be "go" or "python"$/,
  ),
  refuses(
    "text for a boolean",
    declarative({ stream: "true" }),
    `${D}.stream`,
    /^must be true or false, is a string \(leave out the quotes\)$/,
  ),
];

const TOOLS: readonly ObjectCase[] = [
  takes("20 tools", tools(...times(20, () => mcp({})))),
  refuses(
    "21 tools",
    tools(...times(21, () => mcp({}))),
    `${D}.tools`,
    /^must have at most 20 items, has 21$/,
  ),
  takes(
    "another agent in a session of its own",
    tools({ type: "Agent", agent: { name: "b", namespace: "c" }, isolateSessions: true }),
  ),
  takes(
    "a tool of no type with nothing in it",
    tools({ type: "McpServer", mcpServer: { name: "" } }),
  ),
  refuses(
    "mcpServer with type Agent",
    tools({ type: "Agent", agent: { name: "b" }, mcpServer: { name: "k8s" } }),
    `${D}.tools[0]`,
    /^mcpServer needs type McpServer$/,
  ),
  refuses(
    "McpServer without mcpServer",
    tools({ type: "McpServer" }),
    `${D}.tools[0]`,
    /^mcpServer is required for type McpServer$/,
  ),
  refuses(
    "agent with type McpServer",
    tools({ ...mcp({}), agent: { name: "b" } }),
    `${D}.tools[0]`,
    /^agent needs type Agent$/,
  ),
  refuses(
    "Agent without agent",
    tools({ type: "Agent" }),
    `${D}.tools[0]`,
    /^agent is required for type Agent$/,
  ),
  refuses(
    "isolateSessions of an MCP server",
    tools({ ...mcp({}), isolateSessions: false }),
    `${D}.tools[0]`,
    /^isolateSessions needs type Agent$/,
  ),
  refuses(
    "a tool without type, whose rules cannot be evaluated",
    tools({ mcpServer: { name: "k8s" } }),
    [`${D}.tools[0]`, `${D}.tools[0]`],
    /^mcpServer needs type McpServer \(No such key: type, in the rule !\(has\(self\.mcpServer\)/,
  ),
  refuses(
    "a tool of another type",
    tools({ type: "Function" }),
    `${D}.tools[0].type`,
    /^must be "McpServer" or "Agent"$/,
  ),
  takes("50 names of tools", tools(mcp({ toolNames: times(50, String) }))),
  refuses(
    "51 names of tools",
    tools(mcp({ toolNames: times(51, String) })),
    `${D}.tools[0].mcpServer.toolNames`,
    /^must have at most 50 items, has 51$/,
  ),
  takes(
    "approval of listed tools",
    tools(mcp({ toolNames: ["a", "b"], requireApproval: ["b", "a"] })),
  ),
  takes("approval of nothing", tools(mcp({ requireApproval: [] }))),
  refuses(
    "approval of a tool that is not listed",
    tools(mcp({ toolNames: ["a"], requireApproval: ["a", "b"] })),
    `${D}.tools[0].mcpServer`,
    /^every tool in requireApproval must be in toolNames too$/,
  ),
  refuses(
    "approval without a list",
    tools(mcp({ requireApproval: ["a"] })),
    `${D}.tools[0].mcpServer`,
    /^every tool in requireApproval must be in toolNames too$/,
  ),
  refuses(
    "51 approvals",
    tools(mcp({ toolNames: ["a"], requireApproval: times(51, () => "a") })),
    `${D}.tools[0].mcpServer.requireApproval`,
    /^must have at most 50 items, has 51$/,
  ),
  takes(
    "headers by value and by reference",
    tools({
      ...mcp({ allowedHeaders: ["x-a"] }),
      headersFrom: [
        { name: "a", value: "" },
        { name: "b", valueFrom: { type: "Secret", name: "c", key: "d" } },
      ],
    }),
  ),
  ...[
    { name: "a" },
    { name: "a", value: "b", valueFrom: { type: "Secret", name: "c", key: "d" } },
  ].map((header) =>
    refuses(
      `a header with ${Object.keys(header).length - 1} values`,
      tools({ ...mcp({}), headersFrom: [header] }),
      `${D}.tools[0].headersFrom[0]`,
      /^exactly one of value, valueFrom must be set$/,
    ),
  ),
  refuses(
    "a header without name",
    tools({ ...mcp({}), headersFrom: [{ value: "a" }] }),
    `${D}.tools[0].headersFrom[0].name`,
    /^is required$/,
  ),
];

const CONTEXT: readonly ObjectCase[] = [
  takes("memory and compaction by default", {
    ...declarative({ memory: { modelConfig: "e" }, context: { compaction: { summarizer: {} } } }),
  }),
  takes(
    "figures of compaction",
    compaction({
      compactionInterval: 1,
      overlapSize: 0,
      tokenThreshold: 24_000,
      eventRetentionSize: 10,
      summarizer: { modelConfig: "fast", promptTemplate: "x" },
      toolResultMaxBytes: 4096,
    }),
  ),
  ...(
    [
      ["compactionInterval", 0, 1],
      ["overlapSize", -1, 0],
      ["toolResultMaxBytes", 255, 256],
    ] as const
  ).map(([field, value, least]) =>
    refuses(
      `${field} ${value}`,
      compaction({ [field]: value }),
      `${D}.context.compaction.${field}`,
      new RegExp(`^must be at least ${least}, is ${value}$`),
    ),
  ),
  refuses(
    "half a token",
    compaction({ tokenThreshold: 0.5 }),
    `${D}.context.compaction.tokenThreshold`,
    /^must be an integer, is a number$/,
  ),
  refuses(
    "a number in quotes",
    compaction({ tokenThreshold: "24000" }),
    `${D}.context.compaction.tokenThreshold`,
    /^must be an integer, is a string \(leave out the quotes\)$/,
  ),
  refuses(
    "memory without model",
    declarative({ memory: {} }),
    `${D}.memory.modelConfig`,
    /^is required$/,
  ),
  refuses(
    "memory for no day",
    declarative({ memory: { modelConfig: "e", ttlDays: 0 } }),
    `${D}.memory.ttlDays`,
    /^must be at least 1, is 0$/,
  ),
];

const DEPLOYMENT: readonly ObjectCase[] = [
  takes(
    "every field of a deployment",
    byo({
      image: "example/agent:1",
      cmd: "run",
      args: ["--a"],
      workingDir: "/app",
      replicas: 2,
      imagePullSecrets: [{ name: "a" }],
      volumes: [{ name: "v", emptyDir: { sizeLimit: "1Gi" } }],
      volumeMounts: [{ name: "v", mountPath: "/v", mountPropagation: "None" }],
      labels: { a: "b" },
      annotations: { a: "b" },
      env: [{ name: "A", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }],
      envFrom: [{ secretRef: { name: "s" } }],
      deploymentAnnotations: { a: "b" },
      imagePullPolicy: "Always",
      resources: {
        limits: { cpu: 2, memory: "1Gi" },
        requests: { cpu: "100m" },
        claims: [{ name: "c" }],
      },
      tolerations: [{ key: "a", operator: "Exists" }],
      affinity: { nodeAffinity: { anything: [1, { goes: true }] } },
      nodeSelector: { a: "b" },
      securityContext: { runAsNonRoot: true },
      podSecurityContext: { fsGroup: 1 },
      serviceAccountConfig: { labels: { a: "b" }, annotations: {} },
      extraContainers: [{ name: "proxy", image: "example/proxy:1" }],
    }),
  ),
  takes("null for a label, which is dropped", byo({ labels: { a: null, b: "c" } })),
  takes("null in what is passed on", byo({ affinity: { nodeAffinity: null } })),
  takes("a registry of images", declarative({ deployment: { imageRegistry: "example" } })),
  refuses("an empty image", byo({ image: "" }), "spec.byo.deployment.image", /^must not be empty$/),
  ...(
    [
      ["spec.byo.deployment", byo],
      [`${D}.deployment`, (deployment: Fields) => declarative({ deployment })],
    ] as const
  ).map(([path, make]) =>
    refuses(
      `two service accounts in ${path}`,
      make({ serviceAccountName: "a", serviceAccountConfig: {} }),
      path,
      /^only one of serviceAccountName, serviceAccountConfig may be set$/,
    ),
  ),
  refuses(
    "more replicas than 32 bits hold",
    byo({ replicas: 2 ** 31 }),
    "spec.byo.deployment.replicas",
    /^must be at most 2147483647, is 2147483648$/,
  ),
  refuses(
    "a quantity of nothing",
    byo({ resources: { limits: { memory: "1Gx" } } }),
    "spec.byo.deployment.resources.limits.memory",
    /^must be a quantity such as/,
  ),
  refuses(
    "a quantity that is a boolean",
    byo({ resources: { limits: { memory: true } } }),
    "spec.byo.deployment.resources.limits.memory",
    /^must be a quantity such as/,
  ),
  refuses(
    "a label that is a number",
    byo({ labels: { a: 5 } }),
    "spec.byo.deployment.labels.a",
    /^must be a string, is an integer \(put it in quotes\)$/,
  ),
  refuses(
    "a container without name",
    byo({ extraContainers: [{ image: "a" }] }),
    "spec.byo.deployment.extraContainers[0].name",
    /^is required$/,
  ),
  refuses(
    "a variable whose value is a number",
    byo({ env: [{ name: "A", value: 1 }] }),
    "spec.byo.deployment.env[0].value",
    /^must be a string/,
  ),
  takes(
    "egress of the sandbox",
    agent({ declarative: {}, sandbox: { network: { allowedDomains: ["*.a.b"] } } }),
  ),
];

const STEERING: readonly ObjectCase[] = [
  takes(
    "50 rules with 50 keywords",
    routing({
      rules: times(50, (i) => ({
        name: `r${i}`,
        keywords: times(50, (k) => `w${k}`),
        agent: { name: "b" },
      })),
    }),
  ),
  takes("keywords of 2 and 64 characters", rule({ keywords: ["ab", "😀".repeat(64)] })),
  takes("a default agent", routing({ onNoMatch: { agent: { name: "b", namespace: "c" } } })),
  takes("a model where no rule matches", routing({ onNoMatch: "model", maxDelegates: 5 })),
  refuses(
    "routing without rules",
    declarative({ routing: {} }),
    `${D}.routing.rules`,
    /^is required$/,
  ),
  refuses(
    "no rule",
    routing({ rules: [] }),
    `${D}.routing.rules`,
    /^must have at least 1 item, has 0$/,
  ),
  refuses(
    "51 rules",
    routing({
      rules: times(51, (i) => ({ name: `r${i}`, keywords: ["ab"], agent: { name: "b" } })),
    }),
    `${D}.routing.rules`,
    /^must have at most 50 items, has 51$/,
  ),
  refuses(
    "two rules of one name",
    routing({
      rules: times(3, (i) => ({ name: `r${i % 2}`, keywords: ["ab"], agent: { name: "b" } })),
    }),
    `${D}.routing.rules[2]`,
    /^has the name of an item before it$/,
  ),
  refuses(
    "no keyword",
    rule({ keywords: [] }),
    `${D}.routing.rules[0].keywords`,
    /^must have at least 1 item/,
  ),
  refuses(
    "51 keywords",
    rule({ keywords: times(51, (k) => `w${k}`) }),
    `${D}.routing.rules[0].keywords`,
    /^must have at most 50/,
  ),
  refuses(
    "a keyword of one character",
    rule({ keywords: ["ab", "a"] }),
    `${D}.routing.rules[0].keywords[1]`,
    /^must have at least 2 characters, has 1$/,
  ),
  refuses(
    "a keyword of 65 characters",
    rule({ keywords: ["a".repeat(65)] }),
    `${D}.routing.rules[0].keywords[0]`,
    /^must have at most 64 characters, has 65$/,
  ),
  refuses(
    "a rule without name",
    rule({ name: undefined }),
    `${D}.routing.rules[0].name`,
    /^is required$/,
  ),
  refuses(
    "a rule without agent",
    rule({ agent: undefined }),
    `${D}.routing.rules[0].agent`,
    /^is required$/,
  ),
  refuses(
    "a name that no agent can have",
    rule({ agent: { name: "A" } }),
    `${D}.routing.rules[0].agent.name`,
    /^must be lower-case/,
  ),
  refuses(
    "a namespace that cannot be",
    rule({ agent: { name: "a", namespace: "a.b" } }),
    `${D}.routing.rules[0].agent.namespace`,
    /^must be lower-case/,
  ),
  takes("an agent to read from first", rule({ readFirst: { name: "c", namespace: "d" } })),
  refuses(
    "an agent to read from first without a name",
    rule({ readFirst: {} }),
    `${D}.routing.rules[0].readFirst.name`,
    /^is required$/,
  ),
  refuses(
    "an agent to read from first that cannot be",
    rule({ readFirst: { name: "A" } }),
    `${D}.routing.rules[0].readFirst.name`,
    /^must be lower-case/,
  ),
  refuses(
    "a priority that is text",
    rule({ priority: "high" }),
    `${D}.routing.rules[0].priority`,
    /^must be an integer, is a string$/,
  ),
  refuses(
    "no delegate",
    routing({ maxDelegates: 0 }),
    `${D}.routing.maxDelegates`,
    /^must be at least 1, is 0$/,
  ),
  refuses(
    "six delegates",
    routing({ maxDelegates: 6 }),
    `${D}.routing.maxDelegates`,
    /^must be at most 5, is 6$/,
  ),
  refusesHere(
    "another word for no match",
    routing({ onNoMatch: "ask" }),
    `${D}.routing.onNoMatch`,
    /^must be "clarify", "model" or an object/,
  ),
  refusesHere(
    "a number for no match",
    routing({ onNoMatch: 5 }),
    `${D}.routing.onNoMatch`,
    /^must be "clarify", "model" or an object/,
  ),
  refusesHere(
    "a default agent without name",
    routing({ onNoMatch: { agent: {} } }),
    `${D}.routing.onNoMatch.agent.name`,
    /^is required$/,
  ),

  takes(
    "a word, a phrase and a category",
    declarative({
      refusal: {
        rules: [
          { name: "a", match: { word: "sudo" } },
          { name: "b", match: { phrase: "drop the table" }, message: "No." },
          { name: "c", match: { category: "injection" } },
        ],
      },
    }),
  ),
  refuses(
    "a match of nothing",
    refusal({}),
    `${D}.refusal.rules[0].match`,
    /^exactly one of word, phrase, category must be set$/,
  ),
  refuses(
    "a match of two things",
    refusal({ word: "ab", phrase: "a b" }),
    `${D}.refusal.rules[0].match`,
    /^exactly one of word, phrase, category must be set$/,
  ),
  refuses(
    "a rule without match",
    refusal(undefined),
    `${D}.refusal.rules[0].match`,
    /^is required$/,
  ),
  refuses(
    "a word with a space",
    refusal({ word: "a b" }),
    `${D}.refusal.rules[0].match.word`,
    /^must be one word; use phrase for several$/,
  ),
  refuses(
    "a phrase of one character",
    refusal({ phrase: "a" }),
    `${D}.refusal.rules[0].match.phrase`,
    /^must have at least 2 characters/,
  ),
  refuses(
    "a category that is none",
    refusal({ category: "rude" }),
    `${D}.refusal.rules[0].match.category`,
    /^must be "destructive", "injection", "credentials" or "impersonation"$/,
  ),
  refuses(
    "an empty message",
    refusal({ word: "ab" }, { message: "" }),
    `${D}.refusal.rules[0].message`,
    /^must not be empty$/,
  ),
  refuses(
    "51 refusals",
    declarative({
      refusal: { rules: times(51, (i) => ({ name: `r${i}`, match: { word: "ab" } })) },
    }),
    `${D}.refusal.rules`,
    /^must have at most 50 items, has 51$/,
  ),
  refuses(
    "two refusals of one name",
    declarative({ refusal: { rules: times(2, () => ({ name: "a", match: { word: "ab" } })) } }),
    `${D}.refusal.rules[1]`,
    /^has the name of an item before it$/,
  ),

  takes(
    "a hand-off by verdict",
    handoff({ when: "output.verdict == 'incident' && has(envelope.summary)", wait: true }),
  ),
  refusesHere(
    "a condition that does not parse",
    handoff({ when: "output ==" }),
    `${D}.handoffs[0].when`,
    /^is no CEL condition at character 10: /,
  ),
  refusesHere(
    "a condition over another name",
    handoff({ when: "outptu.a" }),
    `${D}.handoffs[0].when`,
    /^is no CEL condition at character 1: Unknown variable: outptu$/,
  ),
  refusesHere(
    "a condition that is a number",
    handoff({ when: "1 + 1" }),
    `${D}.handoffs[0].when`,
    /^is no condition: it is of type int, not bool$/,
  ),
  refuses(
    "an empty condition",
    handoff({ when: "" }),
    `${D}.handoffs[0].when`,
    /^must not be empty$/,
  ),
  refuses(
    "a hand-off to nobody",
    handoff({ agent: undefined }),
    `${D}.handoffs[0].agent`,
    /^is required$/,
  ),
  refuses(
    "6 hand-offs",
    declarative({ handoffs: times(6, () => ({ when: "true", agent: { name: "b" } })) }),
    `${D}.handoffs`,
    /^must have at most 5 items, has 6$/,
  ),
  takes("rendered envelopes", declarative({ envelope: "render" })),
  refuses(
    "another envelope",
    declarative({ envelope: "json" }),
    `${D}.envelope`,
    /^must be "none" or "render"$/,
  ),
  takes(
    "a schema of the answer",
    declarative({
      responseSchema: { type: "object", properties: { a: { type: ["string", "null"] } } },
    }),
  ),
  refuses(
    "a schema that is text",
    declarative({ responseSchema: "object" }),
    `${D}.responseSchema`,
    /^must be an object, is a string$/,
  ),
];

const LIMITS: readonly ObjectCase[] = [
  takes(
    "defaults of approval, limits and retry",
    declarative({ approval: {}, limits: {}, retry: {} }),
  ),
  takes(
    "budgets at their bounds",
    declarative({
      limits: {
        maxModelCalls: 1000,
        maxToolCalls: 1,
        maxTokens: 1,
        maxDuration: "1h30m",
        maxParallelTools: 16,
      },
      retry: { maxAttempts: 5, initialDelay: "0.5s", maxDelay: "100ms" },
      approval: { mode: "all", timeout: "24h", approvers: ["ana", "group:sre"] },
    }),
  ),
  ...(
    [
      ["limits", "maxModelCalls", 0, 1, 1001, 1000],
      ["limits", "maxToolCalls", 0, 1, 1001, 1000],
      ["limits", "maxParallelTools", 0, 1, 17, 16],
      ["limits", "maxDelegations", 0, 1, 101, 100],
      ["retry", "maxAttempts", 0, 1, 6, 5],
    ] as const
  ).flatMap(([block, field, low, least, high, most]) => [
    refuses(
      `${field} ${low}`,
      declarative({ [block]: { [field]: low } }),
      `${D}.${block}.${field}`,
      new RegExp(`^must be at least ${least}, is ${low}$`),
    ),
    refuses(
      `${field} ${high}`,
      declarative({ [block]: { [field]: high } }),
      `${D}.${block}.${field}`,
      new RegExp(`^must be at most ${most}, is ${high}$`),
    ),
  ]),
  ...["", "5", "5 m", "1d", "-1s", ".5s", "1.s", "5M"].map((maxDuration) =>
    refuses(
      `${JSON.stringify(maxDuration)} as a duration`,
      declarative({ limits: { maxDuration } }),
      `${D}.limits.maxDuration`,
      maxDuration === "" ? /^must not be empty$/ : /^must be a duration such as/,
    ),
  ),
  refuses(
    "a duration of 33 characters",
    declarative({ limits: { maxDuration: `${"1".repeat(32)}s` } }),
    `${D}.limits.maxDuration`,
    /^must have at most 32 characters, has 33$/,
  ),
  refuses(
    "another answer to repeated calls",
    declarative({ limits: { repeatedCalls: "warn" } }),
    `${D}.limits.repeatedCalls`,
    /^must be "allow" or "refuse"$/,
  ),
  refuses(
    "an approval mode that is none",
    declarative({ approval: { mode: "never" } }),
    `${D}.approval.mode`,
    /^must be "listed", "destructive" or "all"$/,
  ),
  refuses(
    "an approver without name",
    declarative({ approval: { approvers: [""] } }),
    `${D}.approval.approvers[0]`,
    /^must not be empty$/,
  ),
  refuses(
    "51 approvers",
    declarative({ approval: { approvers: times(51, String) } }),
    `${D}.approval.approvers`,
    /^must have at most 50 items, has 51$/,
  ),
];

/** Each bound and each rule of an Agent, from both sides. */
export const AGENT_CASES: readonly ObjectCase[] = [
  ...SPEC,
  ...METADATA,
  ...CARD,
  ...NAMESPACES,
  ...SKILLS,
  ...PROMPT,
  ...TOOLS,
  ...CONTEXT,
  ...DEPLOYMENT,
  ...STEERING,
  ...LIMITS,
];
