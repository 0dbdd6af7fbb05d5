export { Subscribers } from "../a2a/subscribers.ts";
