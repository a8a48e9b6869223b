import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { requireMounts } from "../../../../src/build/plan/mount-needs.js";
import type { ForwardedAgent } from "../../../../src/buildkit/ssh-agent/agent-forward.js";
import type { BuildContext } from "../../../../src/context/build-context.js";
import type { Engine } from "../../../../src/engine/engine.js";
import type { EngineFacts } from "../../../../src/events.js";

const DOCKER = { product: "docker", version: "28.5.2" } as const;
const PODMAN = { product: "podman", version: "5.8.6" } as const;

const directory = { kind: "directory" } as BuildContext;
const archive = (compressed: boolean) => ({ kind: "archive", compressed }) as BuildContext;

function secrets(...ids: string[]) {
	return { secrets: { ids, read: async () => undefined }, agents: new Map() };
}

function requireOf(
	facts: Pick<EngineFacts, "product" | "version">,
	plan: Parameters<typeof requireMounts>[0],
	context: BuildContext = directory,
) {
	const engine = { facts: { ...facts, builder: "classic" }, transport: { target: "box" } };
	requireMounts(plan, engine as Engine, context);
}

describe("what steps are to mount of this machine", () => {
	it("can be secrets with Podman, which are sent with the context", () => {
		requireOf(PODMAN, secrets("a", "b=c"));
		requireOf({ ...PODMAN, version: "4.0.0-rc1" }, secrets("a"));
		requireOf(PODMAN, secrets("a"), archive(false));
		requireOf(PODMAN, secrets(), archive(true));
	});

	it("is nothing where no builder could mount it", () => {
		const agents = new Map([["default", {} as ForwardedAgent]]);
		for (const [facts, plan, message] of [
			[DOCKER, secrets("a"), "box has no BuildKit, which --secret needs"],
			[DOCKER, { ...secrets(), agents }, "box has no BuildKit, which --ssh needs"],
			[PODMAN, { ...secrets("a"), agents }, "box has no BuildKit, which --ssh needs"],
		] as const) {
			assert.throws(() => requireOf(facts, plan), { name: "EngineError", message });
		}
	});

	it("is no secret that cannot go with the context", () => {
		assert.throws(() => requireOf({ ...PODMAN, version: "3.4.4" }, secrets("a")), {
			message: "box is Podman 3.4.4, and --secret came with 4.0",
		});
		assert.throws(() => requireOf(PODMAN, secrets("a", "b,c")), {
			message: "box is Podman, which takes no secret id with a comma",
		});
		assert.throws(() => requireOf(PODMAN, secrets("a"), archive(true)), {
			message: "box is Podman, to which no secret can go with a compressed build context",
		});
	});
});
