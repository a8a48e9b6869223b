import { setImmediate } from "node:timers/promises";
import type { BuildContext } from "../context/build-context.js";
import type { Engine } from "../engine/engine.js";
import type { Environment } from "../environment.js";
import type { Emit, Run } from "../events.js";
import type { BoxConnectionOptions } from "./box/box-connection.js";
import { askAhead, type IndexQuestions, indexQuestions } from "./context-index/index-questions.js";
import { LocalNeeds } from "./inputs/local-needs.js";
import type { NamedDirectories } from "./inputs/named-directories.js";
import { askForImages } from "./inputs/needed-context.js";
import { StoredImages } from "./inputs/stored-images.js";
import { buildAgainIfLost } from "./output/lost-on-box.js";
import type { BuildPlan } from "./plan/build-plan.js";
import { needsSolve } from "./plan/builder-needs.js";
import type { RunResources } from "./run-resources.js";
import type { Exports } from "./session/exports.js";
import type { SentBuild } from "./transfer/transfer.js";

/** What one daemon builds, for one platform, and what it may have for it. */
export interface PlacedBuild {
	readonly plan: BuildPlan;
	readonly context: BuildContext;
	readonly named: NamedDirectories;
	readonly needs: LocalNeeds;
	readonly images: StoredImages;
	/** Empty where no index is kept. */
	readonly indexes: IndexQuestions;
}

export function placeBuild(
	plan: BuildPlan,
	context: BuildContext,
	named: NamedDirectories,
	environment: Environment,
	run: Run,
): PlacedBuild {
	const images = new StoredImages(run.signal);
	const needs = new LocalNeeds(context, plan.request, images);
	const indexes = indexQuestions(plan, context, environment, run);
	return { plan, context, named, images, needs, indexes };
}

/** What is done for a build while its box is waited for. */
export function meanwhileFor({
	plan,
	context,
	needs,
	images,
	indexes,
}: PlacedBuild): Pick<BoxConnectionOptions, "whileWaiting" | "whileGreeting"> {
	return {
		whileWaiting: () => {
			needs.read();
			// Who needs it will hear of the failure.
			loadAhead().catch(() => {});
		},
		whileGreeting: (questions) => {
			needs.ask(questions);
			if (plan.transfer !== "tar") askAhead(indexes, questions);
			if (context.kind !== "directory" || !mayBeMinimal(plan)) return;
			askForImages(context, plan, questions, images).catch(() => {});
		},
	};
}

/** What has come of a build. */
type ReceivedBuild = SentBuild & { readonly exports: Exports };

/**
 * Gets the context to the daemon in the way that fits, and has it build. May be done again, apart from
 * what isOnce() says, and is where the daemon has lost something meanwhile.
 *
 * @throws BuildFailedError, ContextError, DeliveryError, EngineError, ConnectionError, InterruptedError
 */
export async function sendBuild(
	engine: Engine,
	build: PlacedBuild,
	resources: RunResources,
	run: Run,
): Promise<ReceivedBuild> {
	const retries = isOnce(build) ? 0 : build.plan.retries;
	let hasSteps = false;
	const emit: Emit = (event) => {
		hasSteps ||= event.type === "step";
		run.emit(event);
	};
	const send = () => sendOnce(engine, build, resources, { ...run, emit });
	try {
		return await buildAgainIfLost(send, retries, emit);
	} catch (error) {
		// Without one, the daemon had not come to the Dockerfile.
		if (!hasSteps) throw error;
		const { withLine } = await import("./failed-line.js");
		throw await withLine(error, engine, build, resources, run);
	}
}

async function sendOnce(
	engine: Engine,
	{ plan, context, named, needs, images, indexes }: PlacedBuild,
	{ environment, credentials, stdout, closing }: RunResources,
	run: Run,
): Promise<ReceivedBuild> {
	const { chooseTransfer } = await import("./transfer/choose-transfer.js");
	const { sessionServices } = await import("./session/session-services.js");
	const { Exports } = await import("./session/exports.js");
	const exports = new Exports(plan.exports, stdout, run);
	const services = [...sessionServices(plan, credentials, environment), ...exports.services];
	const resources = { credentials, needs, images, named, indexes, environment, services };
	const { transfer, ...chosen } = await chooseTransfer(plan, engine, context, resources);
	if (plan.minimal && chosen.doubt !== undefined) warnOfDoubt(chosen.doubt, run);
	const isFetched = context.kind === "remote" && plan.buildkit.namedContexts.size === 0;
	if (!isFetched) run.emit({ type: "transfer", transfer: transfer.name, ...chosen });
	try {
		const sent = await transfer.send(engine, context, plan, run);
		return { ...sent, exports: closing.use(exports) };
	} catch (error) {
		// Before another try, which may need the room.
		await exports[Symbol.asyncDispose]();
		// The daemon only tells in its words what went wrong on this side.
		throw exports.failure ?? error;
	}
}

/** An archive cannot always be read again, and what went to the standard output not be taken back. */
export function isOnce({ context, plan }: PlacedBuild): boolean {
	const read = context.kind === "archive" && context.once;
	return read || plan.exports.some(({ destination }) => destination.kind === "stdout");
}

function warnOfDoubt(doubt: string, { emit }: Run): void {
	const message = `--minimal leaves nothing out: ${doubt}`;
	emit({ type: "warning", message, hint: "more of the context may be needed than is seen here" });
}

/** Whether the context may go as a tar with nothing in it that the build can do without. */
function mayBeMinimal(plan: BuildPlan): boolean {
	return plan.minimal !== false && plan.transfer !== "sync" && needsSolve(plan) === undefined;
}

/**
 * Loads the heaviest modules in the order of their need, and turns to the network after each: what the box
 * has answered by then is not kept waiting.
 */
async function loadAhead(): Promise<void> {
	for (const load of [
		() => import("../engine/http-connection.js"),
		() => import("@bufbuild/protobuf/codegenv2"),
		() => import("../buildkit/control.js"),
		() => import("./transfer/choose-transfer.js"),
		() => import("./session/session-services.js"),
		() => import("./session/exports.js"),
	]) {
		await setImmediate();
		await load();
	}
}
