import type { BuildContext, LocalContext } from "../../context/build-context.js";
import type { PartTotals } from "../../context/entries/part-of-context.js";
import type { Unreadable } from "../../context/tree/manifest.js";
import { requireReadable } from "../../context/tree/read-failure.js";
import type { Engine } from "../../engine/engine.js";
import { EngineError, UsageError } from "../../errors.js";
import {
	ALL,
	type NeededContext,
	neededContext,
	takesWholeContext,
} from "../inputs/needed-context.js";
import type { BuildPlan } from "../plan/build-plan.js";
import { needsSolve } from "../plan/builder-needs.js";
import { requireMounts } from "../plan/mount-needs.js";
import { noteLinkSpeed, readLinkSpeed } from "./link-speed.js";
import {
	isSyncFaster,
	leastSyncTime,
	type PredictedTimes,
	predictTimes,
} from "./predicted-times.js";
import { syncTransfer } from "./sync-transfer.js";
import { tarTransfer } from "./tar-transfer.js";
import type { Transfer, TransferResources } from "./transfer.js";

export interface ChosenTransfer {
	readonly transfer: Transfer;
	/** For people. */
	readonly reason: string;
	/** Of a tar that holds no more than this of the context. */
	readonly needed?: PartTotals;
	/** Of a tar that holds everything: why it had better, for people. */
	readonly doubt?: string;
}

interface ChosenTar extends Omit<ChosenTransfer, "reason"> {
	/** What it should hold and cannot be read. */
	readonly unreadable: readonly Unreadable[];
}

/**
 * Whoever asks for one transfer gets it. Else it is the one that is predicted to be faster, in the long
 * run where they are close.
 *
 * @throws UsageError, EngineError when something was asked for that cannot be done
 * @throws ContextError where what cannot be read would have to be sent, as far as that is known beforehand
 */
export async function chooseTransfer(
	plan: BuildPlan,
	engine: Engine,
	context: BuildContext,
	resources: TransferResources,
): Promise<ChosenTransfer> {
	requireMounts(plan, engine, context);
	if (context.kind === "directory") await requireReadableWhole(context, plan);
	const sync = syncTransfer(resources);
	const tar = (reason: string) => chooseTar(plan, engine, context, resources, reason);
	const flag = needsSolve(plan, engine.facts.builder);
	if (flag !== undefined) return { transfer: sync, reason: flag };
	if (context.kind === "remote") return tar("the daemon fetches it");
	if (plan.transfer === "sync") {
		requireSync(context, engine);
		return { transfer: sync, reason: "--transfer" };
	}
	if (plan.transfer === "tar") return tar("--transfer");
	if (context.kind === "archive") return tar("it came as one");
	if (engine.facts.builder !== "buildkit") return tar("this builder takes nothing else");
	if (context.hiddenFiles().length > 0) {
		return { transfer: sync, reason: "a tar would show the build files that are ignored" };
	}
	return chooseByTime(plan, engine, context, resources);
}

async function chooseTar(
	plan: BuildPlan,
	engine: Engine,
	context: BuildContext,
	resources: TransferResources,
	reason: string,
): Promise<ChosenTransfer> {
	if (context.kind !== "directory") return { transfer: tarTransfer(resources), reason };
	const needed =
		plan.minimal === false ? ALL : await neededContext(context, plan, engine, resources.images);
	const { unreadable, ...tar } = await tarOf(context, needed, plan, resources);
	requireReadable(unreadable);
	return { ...tar, reason };
}

/** A part of the context alone is only sent where it is proven to be enough. */
async function tarOf(
	context: LocalContext,
	{ part, doubt }: NeededContext,
	{ minimal }: BuildPlan,
	resources: TransferResources,
): Promise<ChosenTar> {
	const { unreadable } = await context.walked;
	if (part === undefined || minimal === false)
		return { transfer: tarTransfer(resources), unreadable };
	if (doubt !== undefined) return { transfer: tarTransfer(resources), doubt, unreadable };
	return {
		transfer: tarTransfer(resources, part),
		needed: part.totals(),
		unreadable: part.unreadable,
	};
}

/**
 * Without asking the box: which may have the content of a file, and contexts that have other names may replace the
 * stages that take it.
 */
async function requireReadableWhole(context: LocalContext, plan: BuildPlan): Promise<void> {
	const { unreadable } = await context.walked;
	if (unreadable.length === 0 || plan.buildkit.namedContexts.size > 0) return;
	if (!(await takesWholeContext(context, plan))) return;
	requireReadable(unreadable.filter(({ isEntry }) => !isEntry));
}

async function chooseByTime(
	plan: BuildPlan,
	engine: Engine,
	context: LocalContext,
	resources: TransferResources,
): Promise<ChosenTransfer> {
	const { environment, images, indexes } = resources;
	const { target } = engine.transport;
	const [linkSpeed, isKnown, needed] = await Promise.all([
		readLinkSpeed(environment, target),
		indexes.main?.isKnown(engine) ?? false,
		neededContext(context, plan, engine, images),
	]);
	const { unreadable, ...tar } = await tarOf(context, needed, plan, resources);
	if (unreadable.length > 0) {
		return { transfer: syncTransfer(resources), reason: "a tar would need what cannot be read" };
	}
	const { isUtf8 } = needed.part ?? (await context.walked);
	if (!isUtf8) return { ...tar, reason: "a sync takes no names that are not UTF-8" };
	const times = predictTimes({
		tar: tar.needed ?? context.totals(),
		sync: (needed.syncsAll ? context : (needed.part ?? context)).totals(),
		isKnown,
		roundTripMs: engine.roundTripMs,
		linkSpeed,
	});
	const isSync = isSyncFaster(times);
	const chosen = isSync ? { transfer: syncTransfer(resources) } : tar;
	const measured: Transfer = {
		name: chosen.transfer.name,
		async send(engine, context, plan, run) {
			const before = engine.transport.wire.sent;
			const sent = await chosen.transfer.send(engine, context, plan, run);
			const sentBytes = engine.transport.wire.sent - before;
			const { files = 0, bytes = 0 } = sent.upload ?? {};
			const leastMs = isSync ? leastSyncTime({ files, bytes }, engine.roundTripMs) : 0;
			const upload = { sentBytes, durationMs: sent.uploadMs, leastMs };
			await noteLinkSpeed(environment, target, upload, linkSpeed);
			return sent;
		},
	};
	return { ...chosen, transfer: measured, reason: reasonOf(times, isSync) };
}

function reasonOf({ tar, nextSync, isKnown }: PredictedTimes, isSync: boolean): string {
	if (isSync) return isKnown ? "it has most of it" : "so that the next build sends what changed";
	return nextSync > tar
		? "so small that to ask for parts takes longer"
		: "a sync takes much longer";
}

function requireSync(context: BuildContext, { facts, transport }: Engine): void {
	if (context.kind === "archive") {
		throw new UsageError("--transfer sync needs a directory, and this context is an archive", {
			hint: "leave --transfer out, or unpack the archive and name the directory",
		});
	}
	if (facts.builder === "buildkit") return;
	throw new EngineError(`${transport.target} has no BuildKit, which --transfer sync needs`, {
		hint: "leave --transfer out: then the context is sent as a tar",
	});
}
