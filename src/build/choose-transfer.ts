import type { BuildContext } from "../context/build-context.js";
import type { Engine } from "../engine/engine.js";
import { EngineError, UsageError } from "../errors.js";
import type { BuildPlan } from "./build-plan.js";
import { needsSolve } from "./builder-needs.js";
import { syncTransfer } from "./sync-transfer.js";
import { tarTransfer } from "./tar-transfer.js";
import type { Transfer, TransferRooms } from "./transfer.js";

/** @throws UsageError, EngineError when something was asked for that cannot be done */
export function chooseTransfer(
	plan: BuildPlan,
	engine: Engine,
	context: BuildContext,
	rooms: TransferRooms,
): Transfer {
	requireBuildKitForMounts(plan, engine);
	// Whatever the context is.
	if (needsSolve(plan) !== undefined) return syncTransfer(rooms);
	const { facts, transport } = engine;
	// What the daemon fetches by itself is sent in neither way.
	if (plan.transfer !== "sync" || context.kind === "remote") {
		return tarTransfer(rooms);
	}
	if (context.kind === "archive") {
		throw new UsageError("--transfer sync needs a directory, and this context is an archive", {
			hint: "leave --transfer out, or unpack the archive and name the directory",
		});
	}
	if (facts.builder !== "buildkit") {
		throw new EngineError(`${transport.target} has no BuildKit, which --transfer sync needs`, {
			hint: "leave --transfer out: then the context is sent as a tar",
		});
	}
	return syncTransfer(rooms);
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
