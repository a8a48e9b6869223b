import type { PageData } from "../page-data.js";
import { followAddress } from "./address.js";
import { fillBreadcrumb } from "./breadcrumb.js";
import { fillDetails } from "./details.js";
import { byId } from "./elements.js";
import { connectFilters } from "./filters.js";
import { fillFindings } from "./findings.js";
import { fillLegend } from "./legend.js";
import { visibleName } from "./names.js";
import { fillSummary } from "./summary.js";
import { FileTable } from "./table.js";
import { Tooltip } from "./tooltip.js";
import { ContextTree } from "./tree.js";
import { Treemap } from "./treemap.js";
import { View } from "./view.js";

const tree = new ContextTree(await readData());
const view = new View(tree);
const live = byId("live", HTMLElement);

const { context, dockerfile } = tree.data;
byId("context", HTMLElement).textContent = visibleName(context);
byId("dockerfile", HTMLElement).textContent = visibleName(dockerfile ?? "no Dockerfile");
fillSummary(byId("summary", HTMLElement), tree);
fillLegend(byId("legend", HTMLElement), view);
fillBreadcrumb(byId("breadcrumb", HTMLElement), view);
fillDetails(byId("details", HTMLElement), view);
fillFindings(byId("findings", HTMLElement), view);
connectFilters(view);
const tooltip = new Tooltip(byId("tooltip", HTMLElement));
const announce = (text: string) => {
	live.textContent = visibleName(text);
};
new Treemap(byId("treemap", HTMLElement), view, tooltip, announce);
new FileTable(byId("rows", HTMLElement), byId("table", HTMLTableElement), view, (text) => {
	byId("listed", HTMLElement).textContent = text;
});
followAddress(view);
document.documentElement.dataset.state = "ready";

async function readData(): Promise<PageData> {
	const text = atob(byId("data", HTMLScriptElement).textContent?.trim() ?? "");
	const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
	const inflated = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
	return (await new Response(inflated).json()) as PageData;
}
