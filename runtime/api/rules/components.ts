interface Visit {
  readonly order: number;
  low: number;
}

interface Frame {
  readonly node: string;
  readonly next: Iterator<string>;
}

/**
 * Strongly connected components of a graph: groups of nodes that reach one another.
 *
 * Tarjan's algorithm without recursion, O(nodes + edges). A group comes after all groups it leads to.
 *
 * @param nodes - Every node, each once.
 * @param edges - Nodes that a node leads to, all of them among `nodes`.
 * @see https://doi.org/10.1137/0201010
 */
export function components(
  nodes: readonly string[],
  edges: (node: string) => Iterable<string>,
): readonly (readonly string[])[] {
  const visits = new Map<string, Visit>();
  const open: string[] = [];
  const isOpen = new Set<string>();
  const groups: (readonly string[])[] = [];

  const enter = (node: string): Frame => {
    visits.set(node, { order: visits.size, low: visits.size });
    open.push(node);
    isOpen.add(node);
    return { node, next: edges(node)[Symbol.iterator]() };
  };
  const lower = (node: string, low: number) => {
    const visit = visits.get(node);
    if (visit !== undefined) visit.low = Math.min(visit.low, low);
  };
  const leave = (node: string) => {
    const visit = visits.get(node);
    if (visit?.low !== visit?.order) return;
    const group = open.splice(open.lastIndexOf(node));
    for (const member of group) isOpen.delete(member);
    groups.push(group);
  };

  for (const root of nodes) {
    if (visits.has(root)) continue;
    const frames = [enter(root)];
    for (let frame = frames.at(-1); frame !== undefined; frame = frames.at(-1)) {
      const step = frame.next.next();
      if (step.done === true) {
        frames.pop();
        leave(frame.node);
        const caller = frames.at(-1);
        if (caller !== undefined) lower(caller.node, visits.get(frame.node)?.low ?? 0);
      } else if (!visits.has(step.value)) frames.push(enter(step.value));
      else if (isOpen.has(step.value)) lower(frame.node, visits.get(step.value)?.order ?? 0);
    }
  }
  return groups;
}
