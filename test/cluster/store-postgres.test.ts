import { describe } from "mocha";
import { memoryStore } from "../../runtime/store/memories.ts";
import { openDatabase } from "../../runtime/store/open-database.ts";
import { agentMemoryStoreContract } from "../runtime/store/agent-memory-store-contract.ts";
import { approvalStoreContract } from "../runtime/store/approval-store-contract.ts";
import { memoryStoreContract } from "../runtime/store/memory-store-contract.ts";
import { randomOperationsContract } from "../runtime/store/random-operations-contract.ts";
import { recordsContract } from "../runtime/store/records-contract.ts";
import { sessionStoreContract } from "../runtime/store/session-store-contract.ts";
import { streamingContract } from "../runtime/store/streaming-contract.ts";
import { taskOwnersContract } from "../runtime/store/task-owners-contract.ts";
import { PostgresStores } from "./postgres-store.ts";
import { usePostgres } from "./postgres-use.ts";

describe("runtime/store on Postgres", () => {
  const stores = new PostgresStores(usePostgres(), "contract");

  sessionStoreContract("Postgres", async (deps) => (await stores.open(deps)).sessions);
  taskOwnersContract("Postgres", async (deps) => (await stores.open(deps)).sessions);
  randomOperationsContract("Postgres", async (deps) => (await stores.open(deps)).sessions, 25);
  approvalStoreContract("Postgres", (deps) => stores.open(deps));
  agentMemoryStoreContract("Postgres", (deps) => stores.open(deps));
  recordsContract("Postgres", (deps) => stores.open(deps));

  memoryStoreContract("Postgres", async (deps) => {
    await (await stores.open()).close();
    const db = await openDatabase({ url: stores.url });
    return { memories: memoryStore(db, deps), close: () => db.destroy() };
  });

  streamingContract("Postgres", async () => {
    const store = await stores.open();
    return { store, rows: () => stores.rows() };
  });
});
