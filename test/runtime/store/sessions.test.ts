import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe } from "mocha";
import { openStore } from "../../../runtime/store/open-store.ts";
import type { StoreDeps } from "../../../runtime/store/sessions.ts";
import { sessionStoreContract } from "./session-store-contract.ts";
import { taskOwnersContract } from "./task-owners-contract.ts";

describe("runtime/store/sessions", () => {
  let folder: string;
  let files = 0;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "store-"));
  });
  after(async () => {
    await rm(folder, { recursive: true });
  });

  const inMemory = async (deps: StoreDeps) =>
    (await openStore({ path: ":memory:", ...deps })).sessions;
  sessionStoreContract("SQLite in memory", inMemory);
  taskOwnersContract("SQLite in memory", inMemory);

  sessionStoreContract("SQLite on disk", async (deps) => {
    const { sessions } = await openStore({ path: join(folder, `${++files}.db`), ...deps });
    return sessions;
  });
});
