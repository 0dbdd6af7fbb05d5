import { describe } from "mocha";
import { openStore } from "../../../runtime/store/open-store.ts";
import { agentMemoryStoreContract } from "./agent-memory-store-contract.ts";
import { approvalStoreContract } from "./approval-store-contract.ts";
import { recordsContract } from "./records-contract.ts";

describe("runtime/store/open-store on SQLite", () => {
  const open = (deps: Parameters<typeof openStore>[0]) => openStore({ path: ":memory:", ...deps });

  approvalStoreContract("SQLite", open);
  agentMemoryStoreContract("SQLite", open);
  recordsContract("SQLite", open);
});
