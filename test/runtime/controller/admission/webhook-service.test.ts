import assert from "node:assert/strict";
import { randomUUID, X509Certificate } from "node:crypto";
import { afterEach, beforeEach, describe, it } from "mocha";
import { Agent, request } from "undici";
import { RESOURCES } from "../../../../runtime/api/cluster.ts";
import {
  isFresh,
  makeCertificate,
} from "../../../../runtime/controller/admission/webhook-certificate.ts";
import {
  type WebhookService,
  webhookService,
} from "../../../../runtime/controller/admission/webhook-service.ts";
import {
  WEBHOOK_CONFIGURATION,
  webhookCertificate,
} from "../../../../runtime/controller/admission/webhook-setup.ts";
import { MemoryCluster } from "../../../../runtime/kube/memory-cluster.ts";
import { systemClock } from "../../../../runtime/process/clock.ts";
import { silentLog } from "../../../../runtime/telemetry/log.ts";
import { onFreePort } from "../../../cluster/free-port.ts";
import { FakeClock } from "../../../support/fake-clock.ts";

const open = new AbortController().signal;
const DAY = 86_400_000;

describe("runtime/controller/admission/webhook-certificate", () => {
  it("is good for its names for a year, and not in the last month", async () => {
    const now = Date.UTC(2026, 0, 1);
    const names = ["kagent-controller.kagent.svc", "10.0.0.1"];
    const { certificate } = await makeCertificate(names, now);
    assert.ok(isFresh(certificate, names, now));
    assert.ok(isFresh(certificate, names, now + 330 * DAY));
    assert.ok(!isFresh(certificate, names, now + 336 * DAY));
    assert.ok(!isFresh(certificate, [...names, "other"], now));
    assert.ok(!isFresh("no certificate", names, now));
  });
});

describe("runtime/controller/admission/webhook-service", () => {
  let cluster: MemoryCluster;
  let service: WebhookService;
  let port: number;
  let lifetime: AbortController;

  const options = () => ({
    namespace: "kagent",
    service: { name: "kagent-controller", port: 9443 },
    url: `https://127.0.0.1:${port}`,
    secretName: "kagent-webhook-certificate",
  });

  beforeEach(async () => {
    cluster = new MemoryCluster({ clock: systemClock, newId: randomUUID });
    lifetime = new AbortController();
    service = await onFreePort(async (free) => {
      port = free;
      const started = webhookService({
        cluster,
        webhook: options(),
        admission: {
          objects: () => [],
          namespaceLabels: () => new Map(),
          checkWorkload: () => Promise.resolve([]),
        },
        host: "127.0.0.1",
        port,
        clock: systemClock,
        log: silentLog,
      });
      await started.start(lifetime.signal);
      return started;
    });
  });
  afterEach(async () => {
    lifetime.abort(new Error("the test is over"));
    await service.stop();
  });

  it("tells the API server an authority by which it can be verified", async () => {
    await service.register(open);
    const configuration = await cluster.get(
      WEBHOOK_CONFIGURATION,
      { name: "kagent-admission" },
      open,
    );
    const [webhook] = configuration?.["webhooks"] as {
      clientConfig: { caBundle: string; url: string };
      failurePolicy: string;
    }[];
    assert.ok(webhook);
    assert.equal(webhook.failurePolicy, "Fail");
    const ca = Buffer.from(webhook.clientConfig.caBundle, "base64").toString();
    const dispatcher = new Agent({ connect: { ca } });
    try {
      const url = new URL("/healthz", webhook.clientConfig.url);
      const { statusCode, body } = await request(url, {
        dispatcher,
        signal: AbortSignal.timeout(4_000),
      });
      assert.equal(await body.text(), "ok");
      assert.equal(statusCode, 200);
    } finally {
      await dispatcher.close();
    }
  });

  it("shares one certificate between replicas and keeps its key in a Secret", async () => {
    const made = await webhookCertificate(cluster, options(), systemClock, open);
    const again = await webhookCertificate(cluster, options(), systemClock, open);
    assert.equal(made.certificate, again.certificate);
    const secret = await cluster.get(
      RESOURCES.Secret,
      { namespace: "kagent", name: "kagent-webhook-certificate" },
      open,
    );
    assert.equal(secret?.["type"], "kubernetes.io/tls");
  });

  it("makes a new certificate before the old one ends", async () => {
    const made = await webhookCertificate(cluster, options(), systemClock, open);
    const later = new FakeClock(Date.now() + 340 * DAY);
    const next = await webhookCertificate(cluster, options(), later, open);
    assert.notEqual(next.certificate, made.certificate);
    assert.ok(
      new X509Certificate(next.certificate).verify(new X509Certificate(next.authority).publicKey),
    );
  });

  it("agrees on one when several start at once", async () => {
    const fresh = new MemoryCluster({ clock: systemClock, newId: randomUUID });
    const all = await Promise.all(
      Array.from({ length: 4 }, () => webhookCertificate(fresh, options(), systemClock, open)),
    );
    assert.equal(new Set(all.map(({ certificate }) => certificate)).size, 1);
  });
});
