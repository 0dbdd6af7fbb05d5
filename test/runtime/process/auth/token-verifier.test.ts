import assert from "node:assert/strict";
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type JSONWebKeySet, SignJWT, UnsecuredJWT } from "jose";
import { after, before, describe, it } from "mocha";
import { AuthUnavailableError } from "../../../../runtime/process/auth/identity.ts";
import { fileKeys, localKeys, remoteKeys } from "../../../../runtime/process/auth/key-source.ts";
import { keyedServices } from "../../../../runtime/process/auth/service-verifier.ts";
import { TokenVerifier } from "../../../../runtime/process/auth/token-verifier.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { TestIssuer } from "./tokens.ts";

describe("runtime/process/auth/token-verifier", () => {
  const { signal } = new AbortController();
  let clock: FakeClock;
  let issuer: TestIssuer;
  let verifier: TokenVerifier;
  before(async () => {
    clock = new FakeClock();
    issuer = await TestIssuer.create(() => clock.now());
    verifier = new TokenVerifier({
      keys: localKeys(await issuer.keySet()),
      issuer: issuer.issuer,
      audience: "kagent",
      clock,
    });
  });

  it("hands out the claims of a good token", async () => {
    const claims = await verifier.verify(await issuer.token({ groups: ["dev"] }), signal);
    assert.equal(claims?.sub, "ana");
    assert.deepEqual(claims["groups"], ["dev"]);
  });

  const past = Math.floor(Date.UTC(2025, 0, 1) / 1_000);
  const rows: readonly (readonly [string, Record<string, unknown>])[] = [
    ["another audience", { aud: "other" }],
    ["another issuer", { iss: "https://evil.example" }],
    ["an end in the past", { exp: past }],
    ["no end", { exp: undefined }],
    ["no subject", { sub: undefined }],
    ["a begin in the future", { nbf: Math.floor(Date.UTC(2030, 0, 1) / 1_000) }],
  ];
  for (const [what, claims] of rows)
    it(`refuses a token with ${what}`, async () => {
      assert.equal(await verifier.verify(await issuer.token(claims), signal), undefined);
    });

  it("refuses a token that nobody signed, or a stranger, or the public key as a secret", async () => {
    const claims = { iss: issuer.issuer, aud: "kagent", sub: "root", exp: past * 2 };
    const none = new UnsecuredJWT(claims).encode();
    const stranger = await TestIssuer.create(() => clock.now());
    const { keys } = await issuer.keySet();
    const secret = new TextEncoder().encode(JSON.stringify(keys[0]).padEnd(64));
    const confused = await new SignJWT(claims)
      .setProtectedHeader({ alg: "HS256", kid: "k1" })
      .sign(secret);
    const [header = "", , signature = ""] = (await issuer.token()).split(".");
    const body = Buffer.from(JSON.stringify(claims)).toString("base64url");
    const swapped = `${header}.${body}.${signature}`;
    for (const token of [none, await stranger.token(), confused, swapped, "x.y.z", ""])
      assert.equal(await verifier.verify(token, signal), undefined);
  });

  it("stops believing a remembered token when it ends", async () => {
    const token = await issuer.token({ exp: Math.floor(clock.now() / 1_000) + 10 });
    assert.equal((await verifier.verify(token, signal))?.sub, "ana");
    await clock.advance(60_000);
    assert.equal(await verifier.verify(token, signal), undefined);
  });

  it("names the service of a pod's token, and nobody for a person's", async () => {
    const services = keyedServices({ keys: localKeys(await issuer.keySet()), clock });
    const sub = "system:serviceaccount:kagent:kagent-controller";
    const expected = {
      kind: "service",
      name: sub,
      namespace: "kagent",
      account: "kagent-controller",
    };
    assert.deepEqual(await services.verify(await issuer.token({ sub }), signal), expected);
    assert.equal(await services.verify(await issuer.token(), signal), undefined);
    const traps = [
      `${sub}:x`,
      `${sub}\n`,
      "system:serviceaccount:a/b:c",
      "system:serviceaccount:a:",
    ];
    for (const trap of traps)
      assert.equal(
        await services.verify(await issuer.token({ sub: trap }), signal),
        undefined,
        trap,
      );
  });

  describe("with keys in a file", () => {
    let folder: string;
    let path: string;
    before(async () => {
      folder = await mkdtemp(join(tmpdir(), "keys-"));
      path = join(folder, "jwks.json");
    });
    after(() => rm(folder, { recursive: true }));
    const write = async (keySet: unknown) => {
      await writeFile(`${path}.new`, JSON.stringify(keySet));
      await rename(`${path}.new`, path);
    };

    it("waits for the file, takes new keys a second later, and drops the old ones", async () => {
      const services = new TokenVerifier({
        keys: fileKeys(path, clock),
        audience: "kagent",
        clock,
      });
      const token = await issuer.token();
      await assert.rejects(services.verify(token, signal), AuthUnavailableError);
      await write(await issuer.keySet());
      assert.equal((await services.verify(token, signal))?.sub, "ana");
      const next = await TestIssuer.create(() => clock.now(), "k2");
      await write(await next.keySet());
      await clock.advance(1_000);
      assert.equal((await services.verify(await next.token(), signal))?.sub, "ana");
      assert.equal(await services.verify(await issuer.token({ jti: "1" }), signal), undefined);
      await write("nonsense");
      await clock.advance(1_000);
      await assert.rejects(
        services.verify(await next.token({ jti: "2" }), signal),
        AuthUnavailableError,
      );
    });
  });

  describe("with keys at a URL", () => {
    let server: Server;
    let answer: (() => JSONWebKeySet) | undefined;
    let asked = 0;
    before(async () => {
      server = createServer((_, response) => {
        asked += 1;
        if (answer === undefined) response.writeHead(500).end();
        else response.end(JSON.stringify(answer()));
      });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    });
    after(() => new Promise((resolve) => server.close(resolve)));

    it("says that it does not know while they cannot be had, and asks once for many tokens", async () => {
      const { port } = server.address() as AddressInfo;
      const keys = remoteKeys(new URL(`http://127.0.0.1:${port}/jwks`));
      const remote = new TokenVerifier({ keys, audience: "kagent", clock });
      await assert.rejects(remote.verify(await issuer.token(), signal), AuthUnavailableError);
      const keySet = await issuer.keySet();
      answer = () => keySet;
      asked = 0;
      const tokens = await Promise.all(
        [1, 2, 3, 4].map((jti) => issuer.token({ jti: String(jti) })),
      );
      const all = await Promise.all(tokens.map((token) => remote.verify(token, signal)));
      assert.deepEqual(
        all.map((claims) => claims?.sub),
        ["ana", "ana", "ana", "ana"],
      );
      assert.equal(asked, 1);
    });
  });
});
