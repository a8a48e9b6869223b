import type { BuildContext } from "../context/build-context.js";
import type { Engine } from "../engine/engine.js";
import { EngineError, UsageError } from "../errors.js";
import type { CredentialSource } from "../image/registry-credentials.js";
import type { BuildPlan } from "./build-plan.js";
import type { LocalNeeds } from "./local-needs.js";
import { syncTransfer } from "./sync-transfer.js";
import { tarTransfer } from "./tar-transfer.js";
import type { Transfer } from "./transfer.js";

/** @throws UsageError, EngineError when a transfer was asked for that cannot be done */
export function chooseTransfer(
	{ transfer }: BuildPlan,
	{ facts, transport }: Engine,
	context: BuildContext,
	credentials: CredentialSource,
	needs: LocalNeeds,
): Transfer {
	// What the daemon fetches by itself is sent in neither way.
	if (transfer !== "sync" || context.kind === "remote") return tarTransfer(credentials, needs);
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
	return syncTransfer(context, credentials);
}
