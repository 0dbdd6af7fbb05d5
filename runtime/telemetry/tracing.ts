import {
  type Attributes,
  type Context,
  context,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";

const tracer = () => trace.getTracer("kagent");

/** How a span begins. */
export interface SpanOptions {
  /** `server`: of a request that came in; `client`: of one that goes out; `internal` unless set. */
  readonly kind?: "server" | "client" | "internal";
  readonly attributes?: Attributes;
  /** Headers of the request it belongs to; else the span around it. */
  readonly headers?: Readonly<Record<string, string>>;
}

const KINDS = {
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  internal: SpanKind.INTERNAL,
} as const;

/**
 * Runs `work` in a span; its failure is the span's. Costs next to nothing while tracing is off.
 *
 * Error texts are not recorded: they may quote what people wrote.
 */
export async function inSpan<T>(
  name: string,
  options: SpanOptions,
  work: (span: Span) => Promise<T>,
): Promise<T> {
  const { span, around } = begin(name, options);
  try {
    return await context.with(around, work, undefined, span);
  } catch (error) {
    fail(span, error);
    throw error;
  } finally {
    span.end();
  }
}

/** The same around an iteration: the span ends with it, also when its reader leaves. */
export async function* streamInSpan<T>(
  name: string,
  options: SpanOptions,
  work: (span: Span) => AsyncIterable<T>,
): AsyncGenerator<T, void, undefined> {
  const { span, around } = begin(name, options);
  const items = context.with(around, () => work(span)[Symbol.asyncIterator]());
  try {
    for (;;) {
      const next = await context.with(around, () => items.next());
      if (next.done === true) return;
      yield next.value;
    }
  } catch (error) {
    fail(span, error);
    throw error;
  } finally {
    await items.return?.();
    span.end();
  }
}

function begin(name: string, options: SpanOptions): { span: Span; around: Context } {
  const { kind = "internal", attributes = {}, headers } = options;
  const parent =
    headers === undefined ? context.active() : propagation.extract(ROOT_CONTEXT, headers);
  const span = tracer().startSpan(name, { kind: KINDS[kind], attributes }, parent);
  return { span, around: trace.setSpan(parent, span) };
}

function fail(span: Span, error: unknown): void {
  const type = error instanceof Error ? error.name : typeof error;
  span.setAttribute("error.type", type);
  span.setStatus({ code: SpanStatusCode.ERROR, message: type });
}

/** Headers that carry the current trace to whoever is asked next; none while tracing is off. */
export function traceHeaders(): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {};
  propagation.inject(context.active(), headers);
  return headers;
}

/** Fields of log lines that belong to the current trace. */
export function traceFields(): Readonly<Record<string, string>> {
  const span = trace.getActiveSpan()?.spanContext();
  if (span === undefined) return {};
  return { trace_id: span.traceId, span_id: span.spanId };
}
