/**
 * Takes 20 ms to load, so import it when it is needed: `await import("./dockerfile-parser.js")`. The
 * package itself must not be imported in that way, as a bundled CommonJS module then has no names.
 */
export { DockerfileParser } from "dockerfile-ast";
