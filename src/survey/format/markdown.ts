export { formatTable as formatMarkdown } from "./table.js";
