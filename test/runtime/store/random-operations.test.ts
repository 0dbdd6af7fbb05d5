import { describe } from "mocha";
import { openStore } from "../../../runtime/store/open-store.ts";
import { randomOperationsContract } from "./random-operations-contract.ts";

describe("runtime/store/sessions", () => {
  const open: Parameters<typeof randomOperationsContract>[1] = async (deps) =>
    (await openStore({ path: ":memory:", ...deps })).sessions;

  randomOperationsContract("SQLite", open, 100);
});
