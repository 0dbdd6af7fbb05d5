import { RemoteMcpServer, type RemoteMcpServerArgs } from "../../components/remote-mcp-server.ts";
import { REMOTE_MCP_SERVER_CASES } from "../runtime/api/cases/remote-mcp-server-cases.ts";
import { componentContract } from "./component-contract.ts";

componentContract({
  kind: "RemoteMCPServer",
  type: "kagent:index:RemoteMcpServer",
  make: (name, args, opts) =>
    new RemoteMcpServer(name, args as RemoteMcpServerArgs, opts).serverName,
  sound: { description: "Kubernetes", url: "http://gateway:9090/mcp/k8s" },
  sent: {
    description: "Kubernetes",
    url: "http://gateway:9090/mcp/k8s",
    protocol: "STREAMABLE_HTTP",
    timeout: "30s",
    terminateOnClose: true,
  },
  cases: REMOTE_MCP_SERVER_CASES,
});
