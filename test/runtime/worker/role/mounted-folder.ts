import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder as the kubelet mounts a Secret: links to the files of a version, which it swaps as a whole. */
export class MountedFolder {
  readonly path = mkdtempSync(join(tmpdir(), "mounted-"));
  #version = 0;
  #names = new Set<string>();

  constructor(files: Readonly<Record<string, string>> = {}) {
    this.write(files);
  }

  /** What the kubelet's AtomicWriter does: a new folder, a new link in place of the old one, then the files' links. */
  write(files: Readonly<Record<string, string>>): void {
    const before = `..v${this.#version}`;
    const now = `..v${++this.#version}`;
    mkdirSync(join(this.path, now));
    for (const [name, text] of Object.entries(files))
      writeFileSync(join(this.path, now, name), text);
    symlinkSync(now, join(this.path, "..data_tmp"));
    renameSync(join(this.path, "..data_tmp"), join(this.path, "..data"));
    for (const name of Object.keys(files))
      if (!this.#names.has(name)) symlinkSync(join("..data", name), join(this.path, name));
    for (const name of this.#names)
      if (!(name in files)) rmSync(join(this.path, name), { force: true });
    this.#names = new Set(Object.keys(files));
    rmSync(join(this.path, before), { recursive: true, force: true });
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
