import { createHash } from "node:crypto";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build, type Plugin } from "esbuild";
import { ROLE_MODULES, type Role } from "./roles.ts";

const ROOT = join(import.meta.dirname, "..", "..");
/** 900 KiB: a ConfigMap takes 1 MiB, names and metadata included (platform-facts section 3). */
export const MAX_BUNDLE_BYTES = 900 * 1024;
/** Libraries of CommonJS ask for a `require`, which modules do not have. */
const BANNER =
  "import{createRequire as kagentRequire}from'node:module';const require=kagentRequire(import.meta.url);";
/** Byte of a gzip header that names the operating system it was made on; 255 is "unknown". */
const GZIP_OS_BYTE = 9;

/** A file of a bundle: as it is, or compressed. */
export type BundleFile = { readonly text: string } | { readonly gzip: Uint8Array };

/**
 * What a bundle does without: an addon, which cannot be bundled, and 3 MB that read the kubeconfigs of people. Who asks
 * for it in a pod is told to name a token or a certificate.
 */
const LEFT_OUT = ["pg-native", "@kubernetes/client-node"];

/** What a ConfigMap for one role holds. */
export interface Bundle {
  /** `<role>-<first 10 digits of the sha256 of the files>`: another name for other content. */
  readonly name: string;
  /** By key; all flat. `main.mjs` is what Node runs. */
  readonly files: Readonly<Record<string, BundleFile>>;
}

/** A bundle would not fit into a ConfigMap. */
class BundleTooLargeError extends Error {
  override readonly name = "BundleTooLargeError";

  constructor(role: Role, bytes: number) {
    super(
      `failed to bundle role ${role}: ${bytes} bytes, of which a ConfigMap takes ${MAX_BUNDLE_BYTES}; deliver it as an image (runtime/Dockerfile)`,
    );
  }
}

/**
 * Bundles a role: one module and those that it loads on demand. The same sources give the same bytes.
 *
 * Files are compressed, behind a `main.mjs` that unpacks them in memory, only where they would be too large as text.
 *
 * @throws BundleTooLargeError; esbuild's BuildFailure for sources that cannot be bundled.
 */
export async function bundleRole(role: Role): Promise<Bundle> {
  const modules = await modulesOf(role);
  const text = Object.fromEntries(
    Object.entries(modules).map(([name, code]) => [name, { text: code }]),
  );
  const files = bytesOf(text) <= MAX_BUNDLE_BYTES ? text : compressed(modules);
  const bytes = bytesOf(files);
  if (bytes > MAX_BUNDLE_BYTES) throw new BundleTooLargeError(role, bytes);
  return { name: `${role}-${digestOf(files)}`, files };
}

/** Bytes that a ConfigMap needs for these files. */
export function bytesOf(files: Bundle["files"]): number {
  return Object.values(files).reduce((sum, file) => sum + contentOf(file).length, 0);
}

/** A file's bytes as they are stored. */
export function contentOf(file: BundleFile): Uint8Array {
  return "text" in file ? Buffer.from(file.text) : file.gzip;
}

/** Code by flat name, in order of names. */
async function modulesOf(role: Role): Promise<Readonly<Record<string, string>>> {
  const { module, run } = ROLE_MODULES[role];
  const { outputFiles } = await build({
    stdin: {
      contents: [
        `import { startRole } from "./process/start-role.ts";`,
        `import { ${run} as run } from "./${module}";`,
        // a pod names the role, as it would of an image that has them all
        "const [first, ...rest] = process.argv.slice(2);",
        `await startRole(run, first === "${role}" ? rest : process.argv.slice(2));`,
      ].join("\n"),
      resolveDir: join(ROOT, "runtime"),
      sourcefile: `${role}.ts`,
      loader: "ts",
    },
    absWorkingDir: ROOT,
    bundle: true,
    splitting: true,
    minify: true,
    platform: "node",
    target: "node22",
    format: "esm",
    outdir: ".",
    entryNames: "main",
    chunkNames: "[name]-[hash]",
    outExtension: { ".js": ".mjs" },
    banner: { js: BANNER },
    external: LEFT_OUT,
    plugins: [englishOnly],
    legalComments: "none",
    logLevel: "silent",
    write: false,
  });
  const named = outputFiles.map(({ path, text }) => [path.slice(ROOT.length + 1), text] as const);
  return Object.fromEntries(named.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * zod's messages in 50 languages stay out: nothing here speaks them, and reading them takes a fifth of a worker's start.
 */
const englishOnly: Plugin = {
  name: "zod in English only",
  setup(build) {
    build.onLoad({ filter: /[\\/]zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, () => ({
      contents: `export { default as en } from "./en.js";`,
      loader: "js",
    }));
  },
};

/** The program's module in a compressed bundle. */
const PROGRAM = "program.mjs";

/** Modules as `<name>.gz`, and a `main.mjs` that has Node load them from there. */
function compressed(modules: Readonly<Record<string, string>>): Bundle["files"] {
  const packed = Object.entries(modules).map(([name, code]) => {
    const gzip = gzipSync(code, { level: 9 });
    gzip[GZIP_OS_BYTE] = 255; // zlib's own choice differs from system to system
    return [`${name === "main.mjs" ? PROGRAM : name}.gz`, { gzip }] as const;
  });
  return { "main.mjs": { text: BOOTSTRAP }, ...Object.fromEntries(packed) };
}

/** Nothing is written: the file system of a pod is read-only. Modules keep the addresses they would have as files. */
const BOOTSTRAP = `import{readFileSync as r}from"node:fs";
import{registerHooks as h}from"node:module";
import{gunzipSync as g}from"node:zlib";
const here=new URL(".",import.meta.url).href;
const own=(u)=>u.startsWith(here)&&u.endsWith(".mjs")&&!u.slice(here.length).includes("/");
h({
resolve(s,c,n){if(s.startsWith("./")&&c.parentURL){const u=new URL(s,c.parentURL).href;if(own(u))return{url:u,format:"module",shortCircuit:true};}return n(s,c);},
load(u,c,n){return own(u)?{format:"module",source:g(r(new URL(u+".gz"))),shortCircuit:true}:n(u,c);},
});
await import("./${PROGRAM}");
`;

function digestOf(files: Bundle["files"]): string {
  const hash = createHash("sha256");
  for (const name of Object.keys(files).sort()) {
    const content = contentOf(files[name] ?? { text: "" });
    hash.update(`${name}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex").slice(0, 10);
}
