import type { BuildContext, LocalContext } from "../context/build-context.js";
import type { Engine } from "../engine/engine.js";
import type { Environment } from "../environment.js";
import { EngineError, UsageError } from "../errors.js";
import type { BuildPlan } from "./build-plan.js";
import { needsSolve } from "./builder-needs.js";
import { hasIndexCopy } from "./context-index.js";
import { usesWholeContext } from "./context-use.js";
import { noteLinkSpeed, readLinkSpeed } from "./link-speed.js";
import { isSyncFaster, type PredictedTimes, predictTimes } from "./predicted-times.js";
import { syncTransfer } from "./sync-transfer.js";
import { tarTransfer } from "./tar-transfer.js";
import type { Transfer, TransferRooms } from "./transfer.js";

export interface ChosenTransfer {
	readonly transfer: Transfer;
	/** For people. */
	readonly reason: string;
}

/**
 * Whoever asks for one transfer gets it. Else it is the one that is predicted to be faster, in the long
 * run where they are close.
 *
 * @throws UsageError, EngineError when something was asked for that cannot be done
 */
export async function chooseTransfer(
	plan: BuildPlan,
	engine: Engine,
	context: BuildContext,
	rooms: TransferRooms,
): Promise<ChosenTransfer> {
	requireBuildKitForMounts(plan, engine);
	const [tar, sync] = [tarTransfer(rooms), syncTransfer(rooms)];
	const flag = needsSolve(plan);
	if (flag !== undefined) return { transfer: sync, reason: flag };
	if (context.kind === "remote") return { transfer: tar, reason: "the daemon fetches it" };
	if (plan.transfer === "sync") {
		requireSync(context, engine);
		return { transfer: sync, reason: "--transfer" };
	}
	if (plan.transfer === "tar") return { transfer: tar, reason: "--transfer" };
	if (context.kind === "archive") return { transfer: tar, reason: "it came as one" };
	if (engine.facts.builder !== "buildkit") {
		return { transfer: tar, reason: "this builder takes nothing else" };
	}
	if (context.tarShowsMore()) {
		return { transfer: sync, reason: "a tar would show the build files that are ignored" };
	}
	return chooseByTime(plan, engine, context, rooms.environment, { tar, sync });
}

async function chooseByTime(
	plan: BuildPlan,
	engine: Engine,
	context: LocalContext,
	environment: Environment,
	{ tar, sync }: Readonly<Record<Transfer["name"], Transfer>>,
): Promise<ChosenTransfer> {
	const { target } = engine.transport;
	const [linkSpeed, isKnown] = await Promise.all([
		readLinkSpeed(environment, target),
		plan.contextIndex && hasIndexCopy(engine, context, plan, environment),
	]);
	const { files, bytes } = context.totals();
	const dockerfile = Buffer.from(context.dockerfileContent).toString("utf8");
	const usesAll = await usesWholeContext(dockerfile, plan.request.target);
	const { roundTripMs } = engine;
	const times = predictTimes({ files, bytes, usesAll, isKnown, roundTripMs, linkSpeed });
	const isSync = isSyncFaster(times);
	const transfer = isSync ? sync : tar;
	const measured: Transfer = {
		name: transfer.name,
		async send(engine, context, plan, run) {
			const before = engine.transport.wire.sent;
			const sent = await transfer.send(engine, context, plan, run);
			const sentBytes = engine.transport.wire.sent - before;
			await noteLinkSpeed(environment, target, { sentBytes, durationMs: sent.uploadMs }, linkSpeed);
			return sent;
		},
	};
	return { transfer: measured, reason: reasonOf(times, isSync, isKnown) };
}

function reasonOf({ tar, nextSync }: PredictedTimes, isSync: boolean, isKnown: boolean): string {
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

/** Other builders would fail at the mount, after the upload. */
function requireBuildKitForMounts(
	{ secrets, agents }: BuildPlan,
	{ facts, transport }: Engine,
): void {
	if (facts.builder === "buildkit" || (secrets.length === 0 && agents.size === 0)) return;
	const flag = secrets.length > 0 ? "--secret" : "--ssh";
	throw new EngineError(`${transport.target} has no BuildKit, which ${flag} needs`, {
		hint:
			facts.product === "podman"
				? "build on a box with Docker, or leave the flag out"
				: "turn BuildKit on in that daemon's daemon.json, or leave the flag out",
	});
}
