import type { CategoryWords } from "./category.ts";

const OF_SECRETS = "secret|secrets !@attribute";

/** Attempts to read secret values; what secrets are there, missing or out of date may be asked. */
export const CREDENTIALS: CategoryWords = {
  category: "credentials",
  classes: {
    show:
      "show print give reveal dump display output list get fetch read cat echo tell send expose extract " +
      "decode decrypt leak share return copy retrieve steal exfiltrate provide paste view export write " +
      "repeat disclose hand obtain find grab pull collect gather harvest email post upload expose type",
    strong:
      "print dump reveal decode decrypt extract exfiltrate leak steal expose export disclose grab " +
      "harvest cat echo give tell send paste hand base64 crack guess brute unmask unredact",
    sensitive:
      "password passwords passwd passphrase passphrases credential credentials creds kubeconfig " +
      "kubeconfigs apikey apikeys htpasswd apitoken",
    keys:
      "api private access ssh signing encryption secret master root tls deploy aws gcp azure admin " +
      "service license host webhook",
    tokens:
      "kubeconfig bearer access auth authentication authorization api account serviceaccount github " +
      "gitlab admin session refresh jwt id vault root bot login security grafana slack registry oauth " +
      "cluster controller kubernetes bootstrap join personal pat sa user their secret sealed git",
    purpose: "use used uses using",
    attribute:
      "usage limit limits rotation policy policies expiry expire expires expired " +
      "expiring expiration age length reset status count counts metric metrics rate error errors budget " +
      "consumption name names type types field fields store stores manager request requests issue issues " +
      "problem problems mount mounts mounted reference references refresh refreshed event events change " +
      "changes sync synced controller operator count lifetime path location context contexts size " +
      "validity valid management failure failures leak leaks scan scanner scanning rotator class kind " +
      "provider providers engine version versions missing that which whose are is was were not without " +
      "permission permissions attempt attempts authentication auth login logins hash handling best annotation label labels ttl format mode per quota",
    status:
      "missing expired expiring expires failing failed stale unused synced syncing sync rotate rotated " +
      "rotation referenced mounted older status conditions ready exist exists outdated",
  },
  requests: [
    "@show ~4 @sensitive !@attribute",
    "@show ~4 @keys key|keys !@attribute",
    "@show ~4 @tokens token|tokens !@attribute",
    "provide|help|supply me with ~4 @sensitive !@attribute",
    "@show ~~4 account|accounts|serviceaccount|serviceaccounts ~~2 token|tokens !@attribute",
    "@show ~~4 and ~1 @sensitive !@attribute",
    "@show ~2 token of|for|from",
    "@strong me|us? the|your token !@attribute",
    "what|whats is|s? the token of|for|to",
    "@show ~2 the|your|all|every ~1 token|tokens of|for|from ~3 account|serviceaccount|admin|controller|user|github|kubeconfig|vault|gateway",
    `@strong ~4 ${OF_SECRETS}`,
    `@show ~3 all|every|each|any ~3 ${OF_SECRETS}`,
    `@show me ~2 ${OF_SECRETS}`,
    "@show ~3 secret|secrets with|and ~2 value|values|content|contents|data",
    "@show ~3 secret|secrets ~1 value|values|content|contents|data|yaml|decoded|plaintext",
    "@show ~3 secret|secrets ~~4 and @show ~2 data|value|values|content|contents",
    "@show ~3 value|values|content|contents|data|base64 of|in|from|inside ~~4 secret|secrets",
    "get|show|describe ~2 secret|secrets ~~8 o|output yaml|json|jsonpath|go",
    "@show|open|curl ~2 var run secrets",
    "@show|open|curl ~~3 etc shadow|passwd",
    "@show|open ~~3 id rsa|ed25519|ecdsa",
    "@show|open ~~3 kube config",
    "@show ~4 content|contents|value|values of|in|from ~~3 @sensitive",
    "@show ~4 connection string|strings|uri|dsn",
    "dump|extract|exfiltrate|leak|steal|reveal|print|grab|harvest|decode ~1 all|every|each ~2 token|tokens !@attribute",
    "@show|open|curl ~~3 env|aws|npmrc|netrc|pgpass credentials|file",
    "@show|curl|request|call|open|query ~~4 169 254 169 254",
    "what|whats is|are|s? the|your|our|my|its ~3 @sensitive !@attribute|@purpose",
    "what|whats is|are|s? the|your|our|my|its ~3 @tokens token|tokens !@attribute|@purpose",
    "what|whats is|are|s? the|your|our|my|its ~3 @keys key|keys !@attribute|@purpose",
    "what|whats is|are|s? the|its? ~2 value|values|content|contents|data of|in|inside ~~3 secret|secrets|@sensitive",
    "print|dump|export|echo|leak ~~4 passwords|credentials|creds|secrets !@attribute",
    "i|we need|want the|your|all|every|admin|root ~3 @sensitive !@attribute",
    "need|want the|your|all|every|admin|root ~3 @sensitive !@attribute",
    "copy|move|sync ~~4 secret|secrets|credentials ~~3 to ~~2 my|webhook|url|http|https|external",
    "send|post|upload|forward|email|exfiltrate|transmit|leak ~~6 secret|secrets|credentials|tokens|passwords|env|environment|kubeconfig ~~4 to",
    "log|login ~1 in? and ~~3 @strong ~3 secret|secrets|@sensitive",
  ],
  anywhere: [],
  unless: ["secret|secrets ~~6 @status", "@status ~2 secret|secrets", "external secret|secrets"],
};
