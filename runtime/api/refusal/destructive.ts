import type { CategoryWords } from "./category.ts";

const DELETE = ["@delete", "get rid of", "tear down", "blow away", "clean out", "clear out"];

/** Requests to destroy or stop what runs; changes that are reviewed as pull requests are none. */
export const DESTRUCTIVE: CategoryWords = {
  category: "destructive",
  classes: {
    delete:
      "delete destroy wipe erase purge nuke obliterate annihilate terminate kill remove uninstall drop " +
      "truncate shred trash decommission eradicate undeploy del rm zap flush evict",
    strong:
      "delete destroy wipe erase purge nuke obliterate annihilate terminate uninstall shred trash " +
      "decommission eradicate undeploy del rm zap",
    every: "all every everything entire whole each any",
    thing:
      "pod pods deployment deployments namespace namespaces ns cluster clusters node nodes nodepool " +
      "database databases db dbs table tables schema pvc pvcs pv pvs volume volumes statefulset " +
      "statefulsets daemonset daemonsets replicaset replicasets secret secrets crd crds configmap " +
      "configmaps service services ingress ingresses release releases workload workloads data backup " +
      "backups snapshot snapshots bucket buckets kustomization kustomizations helmrelease helmreleases " +
      "production prod staging environment environments infrastructure stack stacks app apps " +
      "application applications instance instances server servers vm vms container containers job jobs " +
      "cronjob cronjobs repo repos repository repositories disk disks storage machine machines " +
      "process processes resource resources object objects deploy deploys sts svc svcs customresources",
    more:
      "alert alerts rule rules dashboard dashboards log logs file files record records user users " +
      "image images branch branches policy policies role roles rolebinding rolebindings event events " +
      "metric metrics certificate certificates networkpolicy networkpolicies manifests charts",
    place:
      "production prod staging cluster clusters environment environments platform infrastructure " +
      "system namespace namespaces database databases everything servers nodes datacenter fleet " +
      "website site",
    attribute:
      "label labels annotation annotations limit limits selector selectors taint taints finalizer " +
      "finalizers filter filters column columns name names panel alert alerts rule rules quota quotas " +
      "affinity metric metrics count field fields key keys line lines section entry word option",
    det: "the this that my our a an old",
    deleting:
      "deleting destroying wiping erasing purging removing killing dropping terminating nuking",
    symptom:
      "hangs hang hung fails fail failed failing failure returns returned says said does doesnt is was took " +
      "takes not command error errors timed timeout hooks hook",
    zero: "zero 0 nil none nothing",
    damage: "down offline unavailable unusable",
  },
  requests: [
    ...DELETE.flatMap((verb) => [
      `${verb} ~2 @every ~4 @thing|@more`,
      `${verb} ~1 all|each|everything of|in|on|from ~~3 @thing|@place|it|them|these|those`,
    ]),
    "@strong|kill|drop|flush ~1 everything|everyone|anything",
    "@strong|kill|drop|remove them|it|these|those|this all",
    "@strong|kill|drop all of? them|it|these|those|this",
    "@strong all !@attribute|labels|comments|whitespace|duplicates|my|notes|memories",
    "@strong|kill ~4 @thing !@attribute",
    "@strong ~3 logs|log|backups|dashboards|dashboard|alerts|records|users|branches|images !@attribute",
    "uninstall|undeploy !@symptom",
    "tear down ~4 @thing !@attribute",
    "get rid of ~4 @thing !@attribute",
    "remove @det? ~1 namespace|cluster|database|deployment|statefulset|production|pvc|volume !from|@attribute",
    "remove pod|pods|namespace|node|deployment|statefulset|pvc|volume !from|@attribute",
    "drop ~3 database|databases|db|schema|table|tables|keyspace|collection !@attribute|format",
    "truncate ~3 database|databases|table|tables",
    "format ~3 disk|disks|drive|drives|volume|volumes|node|nodes",
    "kubectl ~~3 delete|drain|evict !@symptom",
    "helm ~~2 uninstall|delete !@symptom",
    "terraform|pulumi|tofu destroy !@symptom",
    "rm rf|fr|r",
    "mkfs|fdisk|wipefs|shutdown",
    "dd if",
    "flushall|flushdb",
    "force push ~~4 main|master|production|prod|@every",
    "git push ~~4 force",
    "scale ~~4 @every|@place ~~6 to @zero",
    "scale ~~4 @every|@place ~~6 replicas @zero",
    "scale ~~3 to @zero ~~3 @every|@place",
    "scale down ~1 @every|everything",
    "scale @every ~~4 down",
    "set ~~4 replicas ~~4 @every|@place ~~4 @zero",
    "shut|take|bring|knock|turn|tear ~4 @every|@place ~3 @damage",
    "turn|switch ~3 @every ~3 off",
    "shut|take|bring|knock|turn|power down|off|offline ~3 @every|@place",
    "stop|halt|shutdown|poweroff|kill|crash|break|sabotage|disrupt|ruin|brick ~2 @every ~3 @thing|@more|@place",
    "stop|crash|break|sabotage|disrupt|ruin|brick|poweroff|shutdown|destroy ~1 everything|production|prod|platform|infrastructure",
    "crash|sabotage|brick|ruin ~2 @place",
    "drain|cordon|evict|reboot|poweroff ~2 @every ~3 node|nodes|pod|pods|machines|servers",
    "disable|deactivate|silence|mute|stop ~2 @every ~3 alert|alerts|alerting|monitoring|backup|backups|policies|probes|logging|auditing|security",
    "disable|deactivate|turn ~2 monitoring|backups|auditing|alerting ~2 off|production|prod|everywhere|completely",
    "make|render ~4 @place|cluster|production|service|services ~3 @damage",
    "cause|trigger|create|start|provoke ~3 outage|outages|downtime|incident|havoc|chaos",
    "empty the|this|that|my|our|every|all ~2 @thing !@attribute",
    "start|begin|keep|try|continue @deleting ~2 @every ~4 @thing|@more",
    "clean|tidy|free|help ~~4 @deleting ~2 @every ~3 @thing|@more",
    "push|create|write|commit|apply|make|run|start ~~5 that|which|to deletes|removes|wipes|drops|destroys|delete|wipe|destroy ~1 everything",
    "push|create|write|commit|apply|make|run|start ~~5 that|which|to deletes|removes|wipes|drops|destroys|delete|wipe|destroy ~1 @every ~3 @thing",
    "corrupt ~4 data|database|databases|volume|volumes|etcd|backup|backups|disk|filesystem",
    "encrypt ~2 @every ~3 @thing",
    "overwrite ~2 @every ~3 @thing|@more",
    "perform|do|start|initiate|trigger|launch ~3 deletion|wipe|purge|removal|teardown|destruction of ~3 @every|@place",
    "revoke ~1 @every ~3 access|certificate|certificates|permissions|tokens|credentials",
  ],
  anywhere: [
    "@every ~3 @thing must go|die|vanish|disappear",
    "you mind @deleting ~2 @every ~4 @thing|@more",
    "i|we want|need|demand ~2 @every ~~5 deleted|destroyed|wiped|erased|purged|gone|killed|terminated|dropped|removed",
    "i|we want|need|demand ~~5 @thing ~~2 deleted|destroyed|wiped|erased|purged|killed|terminated|dropped",
  ],
  unless: [
    "if i asked|wanted|told",
    "by|via|through|with|in|using|as|open|create|raise|draft|make|prepare|submit|propose a|an|the|draft|new? draft? pr|prs|mr",
    "by|via|through|with|in|using|as|open|create|raise|draft|make|prepare|submit|propose a|an|the|draft|new? draft? pull|merge request|requests",
  ],
};
