import type { BuildContext } from "../../context/build-context.js";
import type { Engine } from "../../engine/engine.js";
import { EngineError } from "../../errors.js";
import type { BuildPlan } from "./build-plan.js";
import { lacksBuildKit, majorVersion } from "./builder-needs.js";

/** The first Podman that takes secrets from its clients (pkg/api/handlers/compat/images_build.go). */
const PODMAN_WITH_SECRETS = 4;

/**
 * Refuses what steps are to mount of this machine and the builder cannot: it would fail at the mount, after the
 * upload.
 *
 * @throws EngineError
 */
export function requireMounts(
	{ secrets, agents }: Pick<BuildPlan, "secrets" | "agents">,
	engine: Engine,
	context: BuildContext,
): void {
	if (engine.facts.builder === "buildkit") return;
	if (agents.size > 0) throw lacksBuildKit(engine, "--ssh");
	if (secrets.ids.length === 0) return;
	if (engine.facts.product !== "podman") throw lacksBuildKit(engine, "--secret");
	requireCarrying(secrets.ids, engine, context);
}

/** As carrySecrets() has it. */
function requireCarrying(
	ids: readonly string[],
	{ facts, transport }: Engine,
	context: BuildContext,
): void {
	if (majorVersion(facts.version) < PODMAN_WITH_SECRETS) {
		throw new EngineError(
			`${transport.target} is Podman ${facts.version}, and --secret came with ${PODMAN_WITH_SECRETS}.0`,
			{ hint: "upgrade Podman there, or leave the flag out" },
		);
	}
	const listed = ids.find((id) => id.includes(","));
	if (listed !== undefined) {
		throw new EngineError(`${transport.target} is Podman, which takes no secret id with a comma`, {
			hint: `rename "${listed}"`,
		});
	}
	if (context.kind === "archive" && context.compressed) {
		throw new EngineError(
			`${transport.target} is Podman, to which no secret can go with a compressed build context`,
			{ hint: "unpack it on the way: gunzip -c CONTEXT.tar.gz | rbuild -" },
		);
	}
}
