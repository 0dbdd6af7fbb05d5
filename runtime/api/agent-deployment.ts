import * as z from "zod";
import { withRules } from "./cel.ts";
import { DEPLOYMENT_FIELDS } from "./pod-fields.ts";
import { text } from "./text.ts";

const SERVICE_ACCOUNT = [
  {
    rule: "!(has(self.serviceAccountName) && has(self.serviceAccountConfig))",
    message: "only one of serviceAccountName, serviceAccountConfig may be set",
  },
];

/** Where and how the pods of a Declarative Agent run. */
export const DeclarativeDeployment = withRules(
  z.strictObject({ imageRegistry: z.string().optional(), ...DEPLOYMENT_FIELDS }),
  SERVICE_ACCOUNT,
);

/** Where and how the pods of an Agent with an image of its own run. */
export const ByoDeployment = withRules(
  z.strictObject({
    image: text(1).describe("Image that serves A2A on port 8080.").optional(),
    cmd: z.string().describe("Command instead of the image's own.").optional(),
    args: z.array(z.string()).optional(),
    workingDir: z.string().optional(),
    ...DEPLOYMENT_FIELDS,
  }),
  SERVICE_ACCOUNT,
);
