// Loaded on demand as a module of our own: a bundler keeps the names of a CommonJS package only where they are imported.
export { Ajv2020 } from "ajv/dist/2020.js";
