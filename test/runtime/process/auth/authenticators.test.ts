import assert from "node:assert/strict";
import { beforeEach, describe, it } from "mocha";
import type { TokenOwner } from "../../../../runtime/api/cluster.ts";
import {
  jwt,
  type ServiceTrust,
  trustedProxy,
  unsecure,
} from "../../../../runtime/process/auth/authenticators.ts";
import type { Authenticator } from "../../../../runtime/process/auth/identity.ts";
import { localKeys } from "../../../../runtime/process/auth/key-source.ts";
import { InvalidRangeError, peers } from "../../../../runtime/process/auth/peers.ts";
import { TokenReviewer } from "../../../../runtime/process/auth/service-verifier.ts";
import { TokenVerifier } from "../../../../runtime/process/auth/token-verifier.ts";
import { jsonLog } from "../../../../runtime/telemetry/log.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { request, TestIssuer } from "./tokens.ts";

const UI = "system:serviceaccount:kagent:ui";
const POD = "system:serviceaccount:other:pod";
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

/** The API server: tokens are `name@audience`. */
class Reviews {
  asked = 0;
  down = false;
  review = (token: string, audience: string): Promise<TokenOwner | undefined> => {
    this.asked += 1;
    if (this.down) return Promise.reject(new Error("no API server"));
    const [user = "", meant] = token.split("~");
    const known = meant === audience && user !== "nobody";
    const owner = {
      user: user.replaceAll(".", ":"),
      groups: ["system:authenticated"],
      audiences: [audience],
    };
    return Promise.resolve(known ? owner : undefined);
  };
}

describe("runtime/process/auth/authenticators", () => {
  const { signal } = new AbortController();
  const ui = bearer(`${UI.replaceAll(":", ".")}~kagent`);
  const pod = bearer(`${POD.replaceAll(":", ".")}~kagent`);
  let clock: FakeClock;
  let reviews: Reviews;
  let logged: string[];
  let trust: ServiceTrust;
  beforeEach(() => {
    clock = new FakeClock();
    reviews = new Reviews();
    logged = [];
    trust = {
      services: new TokenReviewer({ review: reviews.review, clock, audiences: ["api"] }),
      trusts: ({ namespace }) => namespace === "kagent",
      log: jsonLog({ write: (line) => void logged.push(line) }),
    };
  });
  const told = async (authenticator: Authenticator, ...of: Parameters<typeof request>) => {
    const answer = await authenticator.authenticate(request(...of), signal);
    if ("refused" in answer) return answer.status;
    const groups = answer.kind === "user" ? answer.groups.join(" ") : "";
    return `${answer.name} [${groups}] ${answer.trusted ? "trusted" : "bare"}`;
  };

  describe("trustedProxy", () => {
    let proxy: Authenticator;
    beforeEach(() => {
      proxy = trustedProxy({ ...trust, peers: peers(["10.1.0.0/16", "fd00::/8"]) });
    });

    it("believes a user that a trusted service names", async () => {
      const headers = { ...ui, "x-user-id": "ana", "x-user-groups": "dev, sre" };
      assert.equal(await told(proxy, headers), "ana [dev sre] trusted");
      const answer = await proxy.authenticate(request(headers), signal);
      assert.equal("service" in answer ? answer.service.name : undefined, UI);
    });

    it("believes what else a service says only where that is said too", async () => {
      const careful = trustedProxy({ ...trust, peers: peers([]), believes: () => false });
      assert.equal(await told(careful, { ...ui, "x-user-id": "ana" }), "ana [] bare");
      assert.equal(await told(careful, ui), `${UI} [] bare`);
    });

    it("takes a service for itself when it names nobody", async () => {
      assert.equal(await told(proxy, ui), `${UI} [] trusted`);
      assert.equal(await told(proxy, pod), `${POD} [] bare`);
    });

    it("believes configured addresses without a token", async () => {
      const headers = { "x-user-id": "ana" };
      assert.equal(await told(proxy, headers, { peer: "10.1.2.3" }), "ana [] bare");
      assert.equal(await told(proxy, headers, { peer: "::ffff:10.1.2.3" }), "ana [] bare");
      assert.equal(await told(proxy, headers, { peer: "fd00::7" }), "ana [] bare");
      assert.equal(await told(proxy, headers, { peer: "10.2.0.1" }), 401);
      assert.equal(await told(proxy, {}, { peer: "10.1.2.3" }), 401);
    });

    it("lets people of the cluster in by their own token, with their own groups", async () => {
      const headers = { ...bearer("jane~api"), "x-user-groups": "admins" };
      assert.equal(await told(proxy, headers), "jane [system:authenticated] bare");
    });

    const refused: readonly (readonly [string, Record<string, string>, number])[] = [
      ["nobody", {}, 401],
      ["a name without proof", { "x-user-id": "ana" }, 401],
      ["a name from a service that is not trusted", { ...pod, "x-user-id": "ana" }, 403],
      ["a name with a token of nobody", { ...bearer("nobody~kagent"), "x-user-id": "ana" }, 401],
      ["a token that is no bearer token", { authorization: "Basic YTpi", "x-user-id": "ana" }, 401],
      ["two names", { ...ui, "x-user-id": "ana, root" }, 401],
      ["an empty name", { ...ui, "x-user-id": " " }, 401],
      ["a name that is too long", { ...ui, "x-user-id": "x".repeat(257) }, 401],
      ["a pod's token for the API server", bearer(`${UI.replaceAll(":", ".")}~api`), 401],
    ];
    for (const [what, headers, status] of refused)
      it(`refuses ${what}`, async () => {
        assert.equal(await told(proxy, headers), status);
      });

    it("asks the API server once for a token, again after 30 s, and remembers no failure of it", async () => {
      reviews.down = true;
      assert.equal(await told(proxy, ui), 503);
      reviews.down = false;
      reviews.asked = 0;
      const all = await Promise.all([1, 2, 3].map(() => told(proxy, ui)));
      assert.deepEqual(
        all,
        [1, 2, 3].map(() => `${UI} [] trusted`),
      );
      assert.equal(reviews.asked, 1);
      await clock.advance(29_000);
      await told(proxy, ui);
      assert.equal(reviews.asked, 1);
      await clock.advance(1_000);
      await told(proxy, ui);
      assert.equal(reviews.asked, 2);
    });

    it("writes no token to the log", async () => {
      reviews.down = true;
      await told(proxy, ui);
      assert.equal(logged.length, 1);
      assert.doesNotMatch(logged.join(""), /serviceaccount/);
    });

    it("leaves when the request is gone", async () => {
      const gone = new AbortController();
      gone.abort(new Error("gone"));
      await assert.rejects(proxy.authenticate(request(ui), gone.signal), /gone/);
    });
  });

  describe("jwt", () => {
    let issuer: TestIssuer;
    let signed: Authenticator;
    beforeEach(async () => {
      issuer = await TestIssuer.create(() => clock.now());
      signed = jwt({
        ...trust,
        tokens: new TokenVerifier({
          keys: localKeys(await issuer.keySet()),
          issuer: issuer.issuer,
          audience: "kagent",
          clock,
        }),
        issuer: issuer.issuer,
        userClaim: "email",
        groupsClaim: "groups",
      });
    });

    it("takes name and groups from the claims, whatever headers say", async () => {
      const token = await issuer.token({ email: "ana@x.example", groups: ["dev", 7, "a,b"] });
      const headers = { ...bearer(token), "x-user-id": "root", "x-user-groups": "admins" };
      assert.equal(await told(signed, headers), "ana@x.example [dev] bare");
    });

    it("refuses a token without the claim, of a stranger, and none at all", async () => {
      const stranger = await TestIssuer.create(() => clock.now());
      assert.equal(await told(signed, bearer(await issuer.token())), 401);
      assert.equal(await told(signed, bearer(await stranger.token({ email: "ana" }))), 401);
      assert.equal(await told(signed, { "x-user-id": "ana" }), 401);
      assert.equal(await told(signed, {}, { query: "user_id=ana" }), 401);
    });

    it("knows the platform's services by their own tokens, and shows people's to nobody", async () => {
      assert.equal(await told(signed, { ...ui, "x-user-id": "ana" }), "ana [] trusted");
      reviews.asked = 0;
      await told(signed, bearer(await issuer.token({ email: "ana" })));
      assert.equal(reviews.asked, 0);
    });
  });

  describe("unsecure", () => {
    const open = unsecure({ defaultUser: "admin@kagent.dev", from: "loopback" });
    const local = { peer: "127.0.0.1" };

    it("takes the user from the query, the header, or the default", async () => {
      const headers = { "x-user-id": "ana" };
      assert.equal(await told(open, headers, { ...local, query: "user_id=ben" }), "ben [] trusted");
      assert.equal(await told(open, headers, local), "ana [] trusted");
      assert.equal(await told(open, {}, { peer: "::1" }), "admin@kagent.dev [] trusted");
    });

    it("serves other machines by an explicit flag only", async () => {
      assert.equal(await told(open, {}, { peer: "10.0.0.1" }), 403);
      const everywhere = unsecure({ defaultUser: "admin", from: "anywhere" });
      assert.equal(await told(everywhere, {}, { peer: "10.0.0.1" }), "admin [] trusted");
    });
  });

  for (const range of [
    "10.0.0.0/33",
    "10.0.0",
    "10.0.0.0/x",
    "10.0.0.0/",
    "",
    "fd00::/129",
    "::1/-1",
  ])
    it(`does not take ${JSON.stringify(range)} for a range of addresses`, () => {
      assert.throws(() => peers([range]), InvalidRangeError);
    });
});
