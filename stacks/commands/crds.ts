import { stringify } from "yaml";
import { customResourceDefinitions } from "../../runtime/api/crd.ts";

// One YAML stream, for `npm run crds | kubectl apply -f -`.
const documents = customResourceDefinitions().map((crd) =>
  stringify(crd, { aliasDuplicateObjects: false, lineWidth: 0 }),
);
process.stdout.write(documents.join("---\n"));
