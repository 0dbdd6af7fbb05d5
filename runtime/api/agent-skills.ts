import * as z from "zod";
import { EnvVar, LocalReference, Resources } from "./pod-fields.ts";
import { text } from "./text.ts";

/** A skill on the Agent's card, for callers. */
const CardSkill = z.strictObject({
  id: z.string().optional(),
  name: text(1),
  description: z.string().optional(),
  tags: z.array(z.string()).max(20).optional(),
  examples: z.array(z.string()).max(20).describe("Requests the skill answers.").optional(),
  inputModes: z.array(z.string()).optional(),
  outputModes: z.array(z.string()).optional(),
});

/** How an Agent presents itself over A2A. */
export const A2aConfig = z.strictObject({
  skills: z.array(CardSkill).min(1).optional(),
});

const GitSkill = z.strictObject({
  url: z.string(),
  ref: z.string().default("main").describe("Branch, tag or commit."),
  path: z.string().describe("Folder of the skill in the repository.").optional(),
  name: z.string().describe("Folder under /skills; the repository's name when absent.").optional(),
});

const S3Skill = z.strictObject({
  uri: z.string().regex(/^s3:\/\/.+/, 'must begin with "s3://" and name a bucket'),
  region: z.string().optional(),
  name: z.string().optional(),
});

/** Folders with instructions and programs that an Agent finds under /skills. */
export const SkillSources = z.strictObject({
  refs: z.array(z.string()).min(1).max(20).describe("OCI images with skills.").optional(),
  gitRefs: z.array(GitSkill).min(1).max(20).optional(),
  s3Refs: z.array(S3Skill).min(1).max(20).optional(),
  insecureSkipVerify: z
    .boolean()
    .describe("Take images over HTTP or without checking certificates; for tests only.")
    .optional(),
  imagePullSecrets: z.array(LocalReference).max(20).optional(),
  gitAuthSecretRef: LocalReference.describe(
    "Secret with key token (HTTPS) or ssh-privatekey (SSH) for gitRefs.",
  ).optional(),
  initContainer: z
    .strictObject({ resources: Resources.optional(), env: z.array(EnvVar).optional() })
    .describe("The container that fetches skills.")
    .optional(),
});
