/**
 * Who refers to what, both ways, so that a change wakes exactly those it concerns.
 *
 * Users and targets are keys of the form `Kind/namespace/name`; a target need not exist: whoever waits for it is
 * found when it comes. Setting a user costs as much as it has targets.
 */
export class ReferenceIndex {
  readonly #targets = new Map<string, ReadonlySet<string>>();
  readonly #users = new Map<string, Set<string>>();

  /** Replaces what `user` refers to. */
  set(user: string, targets: Iterable<string>): void {
    const next = new Set(targets);
    const before = this.#targets.get(user);
    for (const target of before ?? []) if (!next.has(target)) this.#unlink(user, target);
    for (const target of next) this.#link(user, target);
    if (next.size === 0) this.#targets.delete(user);
    else this.#targets.set(user, next);
  }

  /** Forgets `user`. */
  delete(user: string): void {
    this.set(user, []);
  }

  /** Who refers to `target`. */
  usersOf(target: string): readonly string[] {
    return [...(this.#users.get(target) ?? [])];
  }

  /** What `user` refers to. */
  targetsOf(user: string): readonly string[] {
    return [...(this.#targets.get(user) ?? [])];
  }

  /** Whether anybody refers to `target`. */
  isUsed(target: string): boolean {
    return this.#users.has(target);
  }

  #link(user: string, target: string): void {
    const users = this.#users.get(target);
    if (users === undefined) this.#users.set(target, new Set([user]));
    else users.add(user);
  }

  #unlink(user: string, target: string): void {
    const users = this.#users.get(target);
    users?.delete(user);
    if (users?.size === 0) this.#users.delete(target);
  }
}
