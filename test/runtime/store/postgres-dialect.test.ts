import assert from "node:assert/strict";
import { inspect } from "node:util";
import { describe, it } from "mocha";
import { openStore } from "../../../runtime/store/open-store.ts";
import { postgresAddress, postgresDialect } from "../../../runtime/store/postgres-dialect.ts";

describe("runtime/store/postgres-dialect", () => {
  const addresses = {
    "postgres://u:p@db:6543/kagent": "db:6543/kagent",
    "postgresql://u:p@db/kagent?sslmode=require": "db:5432/kagent",
    "postgres://u:p%40%2F@[::1]/kagent": "[::1]:5432/kagent",
    "postgres://u:p@localhost/kagent?host=%2Frun%2Fpostgres": "/run/postgres:5432/kagent",
  };
  for (const [url, address] of Object.entries(addresses)) {
    it(`calls ${url} ${address}`, () => {
      assert.equal(postgresAddress(url), address);
    });
  }

  const broken = [
    "",
    "db:5432",
    "mysql://u:planted@db/kagent",
    "postgres://u:planted/secret@db:5432/kagent",
    "postgres://u:12/planted@db:5432/kagent",
    "postgres://u:12?planted@db:5432/kagent",
    "postgres://u:12#planted@db:5432/kagent",
    "postgres://u:planted@db:port/kagent",
  ];
  for (const url of broken) {
    it(`refuses ${url}, without repeating it`, async () => {
      const outcome = await openStore({ url }).catch((error: unknown) => error);
      assert.ok(outcome instanceof Error && outcome.name === "PostgresUrlError", String(outcome));
      assert.match(outcome.message, /postgres:\/\/user:password@host:5432\/database/);
      assert.ok(!inspect(outcome, { depth: 9, showHidden: true }).includes("planted"));
      assert.throws(() => postgresDialect({ url }), { name: "PostgresUrlError" });
    });
  }
});
