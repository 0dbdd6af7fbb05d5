/** The part of WebAssembly that is used; its types come with those of browsers, which this is none of. */
interface WebAssemblyApi {
  compile(bytes: Uint8Array): Promise<object>;
  instantiate(module: object, imports: object): Promise<object>;
}

/**
 * What the sandbox process does: runs the Python of its standard input and exits with Python's code.
 *
 * Its text is handed to `node --eval`, so it uses nothing from outside itself. `process.argv`: the interpreter's file.
 * CPython sees no file, no environment and no socket: WASI gives it only what is listed here.
 *
 * @see https://nodejs.org/api/wasi.html
 */
export async function pythonProgram(): Promise<void> {
  const { readFile } = await import("node:fs/promises");
  const { WASI } = await import("node:wasi");
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) chunks.push(chunk);
  const code = Buffer.concat(chunks).toString("utf8");
  const wasm = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly;
  const module = await wasm.compile(await readFile(process.argv[1] ?? ""));
  const wasi = new WASI({
    version: "preview1",
    args: ["python", "-c", code],
    env: {},
    preopens: {},
    returnOnExit: true,
  });
  const instance = await wasm.instantiate(module, wasi.getImportObject());
  process.exitCode = wasi.start(instance);
}
