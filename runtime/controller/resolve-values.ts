import type { TlsSettings } from "../api/agent-config.ts";
import type { Checked, Violation } from "../api/checked.ts";
import type { RemoteMcpServer } from "../api/objects.ts";
import type { AgentReferences, ValueKey } from "./resolve-references.ts";

type HeaderSources = NonNullable<RemoteMcpServer["spec"]["headersFrom"]>;
type TlsSpec = NonNullable<RemoteMcpServer["spec"]["tls"]>;

/** Collects what is wrong while the rest goes on, so that one report names everything. */
export class Resolution {
  readonly violations: Violation[] = [];
  readonly references: AgentReferences;
  /** Of the object that is resolved, and of the ConfigMaps and Secrets that it names. */
  readonly namespace: string;

  constructor(references: AgentReferences, namespace: string) {
    this.references = references;
    this.namespace = namespace;
  }

  /** Notes a violation. */
  problem(path: string, message: string): void {
    this.violations.push({ path, message });
  }

  /** The value of another object's resolution; its violations are noted at `path` as those of `who`. */
  adopt<T>(result: Checked<T>, path: string, who: string): T | undefined {
    if (result.ok) return result.value;
    for (const { path: at, message } of result.violations)
      this.problem(path, `${who}: ${at === "" ? "" : `${at}: `}${message}`);
    return undefined;
  }

  /** A key of a ConfigMap or Secret; a missing one is noted. */
  value(source: ValueKey, path: string): string | undefined {
    const found = this.references.value(this.namespace, source);
    if (found !== undefined) return found;
    const { type, name, key } = source;
    this.problem(path, `${type} ${this.namespace}/${name} has no key ${key}`);
    return undefined;
  }

  /** Request headers, names in lower case. */
  headers(sources: HeaderSources | undefined, path: string): Readonly<Record<string, string>> {
    const headers = new Map<string, string>();
    for (const [index, { name, value, valueFrom }] of (sources ?? []).entries()) {
      const at = `${path}.headersFrom[${index}]`;
      // The schema holds exactly one of the two.
      const found = value ?? (valueFrom && this.value(valueFrom, at));
      if (found !== undefined) headers.set(name.toLowerCase(), found);
    }
    return Object.fromEntries(headers);
  }

  /** How an upstream's certificate is verified; without settings: `{}`. */
  tls(spec: TlsSpec | undefined, path: string): { readonly tls?: TlsSettings } {
    if (spec === undefined) return {};
    const { disableVerify, disableSystemCAs, caCertSecretRef: name, caCertSecretKey: key } = spec;
    const caPem = name && key ? this.#authorities({ type: "Secret", name, key }, path) : undefined;
    return {
      tls: {
        verify: !disableVerify,
        ...(caPem === undefined ? {} : { caPem }),
        systemCas: !disableSystemCAs,
      },
    };
  }

  /** What was resolved, unless something is wrong. */
  checked<T>(value: T): Checked<T> {
    return this.violations.length === 0
      ? { ok: true, value }
      : { ok: false, violations: this.violations };
  }

  #authorities(source: ValueKey, path: string): string | undefined {
    const at = `${path}.caCertSecretRef`;
    const pem = this.value(source, at);
    if (pem === undefined || pem.includes("-----BEGIN CERTIFICATE-----")) return pem;
    const { name, key } = source;
    this.problem(at, `Secret ${this.namespace}/${name} has no certificate in key ${key}`);
    return undefined;
  }
}
