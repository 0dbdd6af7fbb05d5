import { context, propagation, trace } from "@opentelemetry/api";
import * as z from "zod";
import { check, sentence } from "../api/checked.ts";

const Flag = z
  .enum(["true", "false", ""], { error: "must be true or false" })
  .transform((value) => value === "true");

/** Variables of OpenTelemetry's specification that are read here; the SDK reads further ones by itself. */
const Environment = z.object({
  OTEL_TRACING_ENABLED: Flag.optional(),
  OTEL_SDK_DISABLED: Flag.optional(),
  OTEL_EXPORTER_OTLP_ENDPOINT: z.string().optional(),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: z.string().optional(),
  OTEL_EXPORTER_OTLP_PROTOCOL: z.enum(["grpc", "http/protobuf"]).default("grpc"),
  OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: z.enum(["grpc", "http/protobuf"]).optional(),
});

/** Tracing under way. */
export interface Tracing {
  /** Sends what is left and stops. */
  stop(): Promise<void>;
}

/**
 * Starts to export spans where the environment asks for it (`OTEL_TRACING_ENABLED` as of kagent, or an OTLP endpoint);
 * loads the SDK then and only then.
 *
 * @param service - `service.name` unless OTEL_SERVICE_NAME says another one.
 * @returns `undefined` where tracing is off.
 * @throws Error naming every variable that is wrong.
 */
export async function startTracing(
  service: string,
  variables: Readonly<Record<string, string | undefined>>,
): Promise<Tracing | undefined> {
  const checked = check(Environment, variables, "");
  if (!checked.ok) throw new Error(`the environment is wrong: ${sentence(checked.violations)}`);
  const env = checked.value;
  const endpoint = env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ?? env.OTEL_EXPORTER_OTLP_ENDPOINT;
  const wanted = env.OTEL_TRACING_ENABLED ?? (endpoint !== undefined && endpoint !== "");
  if (!wanted || env.OTEL_SDK_DISABLED === true) return undefined;
  const protocol = env.OTEL_EXPORTER_OTLP_TRACES_PROTOCOL ?? env.OTEL_EXPORTER_OTLP_PROTOCOL;
  return await start(service, variables, protocol);
}

async function start(
  service: string,
  variables: Readonly<Record<string, string | undefined>>,
  protocol: "grpc" | "http/protobuf",
): Promise<Tracing> {
  const [sdk, resources, hooks, core, { OTLPTraceExporter }] = await Promise.all([
    import("@opentelemetry/sdk-trace"),
    import("@opentelemetry/resources"),
    import("@opentelemetry/context-async-hooks"),
    import("@opentelemetry/core"),
    protocol === "grpc"
      ? import("@opentelemetry/exporter-trace-otlp-grpc")
      : import("@opentelemetry/exporter-trace-otlp-proto"),
  ]);
  const provider = new sdk.TracerProvider({
    resource: resources
      .resourceFromAttributes({ "service.name": variables["OTEL_SERVICE_NAME"] ?? service })
      .merge(resources.detectResources({ detectors: [resources.resourceAttributesEnvDetector] })),
    spanProcessors: [new sdk.BatchSpanProcessor({ exporter: new OTLPTraceExporter() })],
  });
  const manager = new hooks.AsyncLocalStorageContextManager().enable();
  context.setGlobalContextManager(manager);
  propagation.setGlobalPropagator(new core.W3CTraceContextPropagator());
  trace.setGlobalTracerProvider(provider);
  return {
    async stop() {
      await provider.shutdown();
      trace.disable();
      propagation.disable();
      context.disable();
    },
  };
}
