// Pulumi starts the program on whatever Node it finds: say what is wrong before type stripping does.
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 19))
  throw new Error(
    `kagent's Pulumi program needs Node 22.19 or newer, this is ${process.versions.node}: put a newer Node on the PATH (npm run installs one under node_modules/.bin).`,
  );

export const { agents } = await import("./index.ts");
