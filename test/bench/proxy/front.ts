import { byoAgent, Front, ownAgent } from "../../runtime/controller/proxy/proxy-fixture.ts";

/** Stands for a controller: the real door to agents, in front of the worker whose address is the argument. */
const front = await Front.open({
  agents: [ownAgent("bench"), byoAgent("other")],
  workerUrl: process.argv[2] ?? "",
});
process.send?.(Number(new URL(front.url("bench")).port));
process.once("disconnect", () => {
  process.exit();
});
