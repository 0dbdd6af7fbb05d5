import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { describe, it } from "mocha";
import { StatementCache } from "../../../runtime/store/statement-cache.ts";

describe("runtime/store/statement-cache", () => {
  function cache(capacity: number) {
    const database = new DatabaseSync(":memory:");
    return { database, statements: new StatementCache(database, capacity) };
  }

  it("prepares a statement once", () => {
    const { database, statements } = cache(2);
    assert.equal(statements.get("select 1"), statements.get("select 1"));
    database.close();
  });

  it("drops the one that was not used for longest, and never holds more than it may", () => {
    const { database, statements } = cache(2);
    const one = statements.get("select 1");
    const two = statements.get("select 2");
    statements.get("select 1");
    statements.get("select 3");
    assert.equal(statements.size, 2);
    assert.equal(statements.get("select 1"), one);
    assert.notEqual(statements.get("select 2"), two);
    database.close();
  });

  it("tells statements with rows from those without", () => {
    const { database, statements } = cache(4);
    database.exec("create table t (a)");
    assert.equal(statements.get("select a from t").reader, true);
    assert.equal(statements.get("insert into t values (1) returning a").reader, true);
    assert.equal(statements.get("insert into t values (1)").reader, false);
    database.close();
  });

  it("keeps nothing of a statement that SQLite refuses", () => {
    const { database, statements } = cache(2);
    assert.throws(() => statements.get("selec 1"), /syntax/);
    assert.equal(statements.size, 0);
    database.close();
  });
});
