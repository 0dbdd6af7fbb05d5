import type { CategoryWords } from "./category.ts";

/** Attempts to replace the agent's instructions, to read them, or to switch its guards off. */
export const INJECTION: CategoryWords = {
  category: "injection",
  classes: {
    override:
      "ignore disregard forget override bypass overlook neglect dismiss discard skip erase clear reset " +
      "delete drop abandon violate break unlearn circumvent",
    previous:
      "previous prior above earlier preceding former initial original your system safety hidden these " +
      "those past existing foregoing any",
    instructions:
      "instruction instructions prompt prompts rules guidelines directive directives directions " +
      "restrictions guardrails constraints programming training safeguards orders commands",
    orders:
      "instructions prompts prompt guidelines directives restrictions safeguards guardrails programming",
    show:
      "show print give reveal repeat output tell display dump leak expose write share return echo list " +
      "recite paste quote disclose describe translate summarize summarise encode provide send copy read",
    guard:
      "guardrail guardrails safeguard safeguards safety restrictions moderation refusal refusals " +
      "guards protections limitations censorship jailbreak",
    persona:
      "dan unrestricted unfiltered uncensored jailbroken god evil unlimited unbound rogue " +
      "lawless amoral liberated",
  },
  requests: [
    "@override ~~3 @previous ~~2 @instructions",
    "@override ~1 all|every|any ~1 @orders",
    "@override ~1 the @orders|rules above|before|you|given|that",
    "@override ~1 what|everything|anything|all ~~1 you ~2 told|said|instructed|know|learned|learnt",
    "forget|disregard|ignore ~1 everything|anything|all above|before",
    "@override ~2 system message|messages|prompt|prompts",
    "forget|disregard everything",
    "pay no attention to ~~4 @instructions",
    "dont|never|stop follow|following|obey|obeying|listen|listening|respect|apply ~~3 your|previous|system|those|any|these|prior ~2 @instructions|policy|policies",
    "do not follow|obey|respect|apply ~~3 your|previous|system|those|any|these|prior ~2 @instructions|policy|policies",
    "enable|enter|simulate|activate|switch|turn|start|go|unlock|use ~~4 developer|dan|jailbreak|god|unrestricted|sudo|root|evil|unfiltered|uncensored mode",
    "jailbreak yourself|now|the|this|your",
    "@show ~~6 your ~2 prompt|prompts|instructions|directives",
    "@show ~~3 your ~1 rules|guidelines ~2 verbatim|exactly|word",
    "@show ~~4 prompt|prompts|instructions ~1 you were|are|got|have|received|follow",
    "what|which ~2 instructions|prompt|prompts were|did|do|are|have you",
    "what ~~4 your ~2 prompt|prompts|instructions|directives",
    "@show ~4 hidden|initial|original|internal ~3 prompt|prompts|instructions|directives|guidelines",
    "@show ~4 your ~2 system message",
    "@show ~2 the|full|entire|exact|complete|system ~3 system|hidden|initial|secret|original prompt|prompts|message|instructions !of|for|from|in|length|size|field|used|that|which",
    "@show ~1 system prompt !of|for|from|in|length|size|field|used|that|which",
    "what|whats is|are|was|were? your ~2 system|initial|original|hidden|exact|secret? instructions|prompt|directives|guidelines",
    "repeat|recite|print|output|echo|write ~2 everything|text|words|content|message above|verbatim",
    "repeat ~~4 above|verbatim",
    "what|how were you ~1 told|instructed|programmed|prompted",
    "disable|deactivate|bypass|circumvent|evade|override|remove|ignore|skip|lift|drop ~1 your|all|any|every ~2 @guard",
    "disable|deactivate|bypass|circumvent|evade|override|lift|defeat|trick ~2 @guard|filter|filters",
    "turn|switch off ~2 your|all|the ~2 @guard|filters",
    "turn|switch your|all|the ~2 @guard|filters off",
    "answer|respond|reply|act|speak|behave|operate ~~4 without ~2 restrictions|restriction|filters|filter|limits|limitations|rules|censorship|guardrails",
    "pretend|imagine|act|roleplay|behave|operate ~~6 no|without ~2 rules|restrictions|limits|guidelines|filters|limitations",
    "decode|translate|decrypt ~~6 and follow|execute|obey",
    "follow|obey|execute ~~3 instructions|commands in|inside|from|hidden ~~3 base64|comment|logs|log|annotation|text",
    "stop acting|being|behaving ~~5 assistant|agent|bot|ai|coordinator",
    "pretend|imagine|act|roleplay ~~5 @persona",
    "ignore|disregard|forget ~1 safety|ethics|morals !alert|alerts|rule|rules|check|checks|warning|warnings",
  ],
  anywhere: [
    "you|youre|your are|re? now ~~3 @persona",
    "you|youre are? @persona",
    "your ~1 @instructions are|is now? void|invalid|obsolete|cancelled|canceled|irrelevant|overridden|replaced|suspended|lifted",
    "you have no ~1 restrictions|rules|limits|limitations|guidelines|filters",
    "you|youre are? ~~4 without|no ~1 restrictions|rules|limits|limitations|guidelines|filters",
    "you have|were been? jailbroken|unlocked|freed|liberated",
    "overrides|supersedes|replaces ~~3 previous|prior|earlier|your|system ~2 @orders",
    "you are no longer ~~3 agent|assistant|bot|bound|restricted|limited|ai",
    "do anything now",
    "im start|end",
    "endoftext",
    "eot id",
    "system override",
    "end|begin|start of ~1 system prompt",
    "new|updated system prompt|instruction|instructions",
    "your new ~1 instructions|prompt|role|task|rules|orders is|are",
    "from now on ~~3 no|without|ignore|ignoring ~2 @instructions",
    "jailbreak mode|prompt",
  ],
  unless: [],
};
