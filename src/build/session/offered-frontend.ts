import type { SolveRequest } from "../../buildkit/control.js";
import { localDefinition } from "../../buildkit/local-definition.js";
import { type NamedContext, namedContextAttrs } from "../plan/named-contexts.js";
import type { AnnouncedDirectory } from "./announcement.js";
import type { MainOffer } from "./offered-main.js";

/** How a frontend finds contexts: what it is told, and what it need not ask for. */
export type OfferedFrontend = Pick<SolveRequest, "frontendAttrs" | "frontendInputs">;

/** The contexts that a frontend has to find. */
interface FoundContexts {
	readonly main: Pick<MainOffer, "attrs" | "inputs">;
	readonly namedContexts: ReadonlyMap<string, NamedContext>;
	/** The directories among them. */
	readonly named: readonly AnnouncedDirectory[];
}

/** For one that takes what comes with the request. */
export function frontendWithInputs(contexts: FoundContexts, sessionId: string): OfferedFrontend {
	const { main, named } = contexts;
	const joint = named.flatMap(({ name, localName, jointPart }) => {
		if (jointPart === undefined) return [];
		const step = `[context ${name}] load from client`;
		return [[localName, localDefinition(sessionId, localName, jointPart, step)] as const];
	});
	return {
		frontendAttrs: attrsOf(contexts, ({ jointPart }) =>
			jointPart === undefined ? "local" : "input",
		),
		frontendInputs: { ...main.inputs, ...Object.fromEntries(joint) },
	};
}

/** For one that asks for everything. */
export function frontendWithoutInputs(contexts: FoundContexts): OfferedFrontend {
	return { frontendAttrs: attrsOf(contexts, () => "local"), frontendInputs: {} };
}

function attrsOf(
	{ main, namedContexts, named }: FoundContexts,
	wayTo: (directory: AnnouncedDirectory) => "local" | "input",
): OfferedFrontend["frontendAttrs"] {
	const sources = named.map((one) => [one.name, `${wayTo(one)}:${one.localName}`] as const);
	return { ...main.attrs, ...namedContextAttrs(namedContexts, new Map(sources)) };
}
