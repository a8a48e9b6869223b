/**
 * All commands but `build`, which is loaded without them: each part that is loaded by itself splits the
 * bundle into more files, and a build starts by the sum of those that it needs.
 */

export { runContext } from "./context/context-command.js";
export { runWhy } from "./context/why-command.js";
export { runDoctor } from "./doctor/doctor-command.js";
export { runHosts } from "./hosts/hosts-command.js";
export { runCache } from "./images/cache-command.js";
export { runImages } from "./images/images-command.js";
export { runPull } from "./images/pull-command.js";
