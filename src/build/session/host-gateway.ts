import type { Control } from "../../buildkit/control.js";
import { EngineError } from "../../errors.js";
import type { BuildPlan } from "../plan/build-plan.js";
import type { AnnouncedBuild } from "./announcement.js";

const HOST_GATEWAY = /:host-gateway$/;

/**
 * Puts an address where "host-gateway" stands in the hosts: Solve takes addresses only, where POST
 * /build resolves the name by itself.
 *
 * @throws EngineError for a daemon that does not tell; and as Control.hostGateway
 */
export async function resolveHostGateway(
	{ engine, plan }: AnnouncedBuild,
	control: Control,
	signal: AbortSignal,
): Promise<BuildPlan> {
	const { extraHosts = [] } = plan.request;
	if (!extraHosts.some((host) => HOST_GATEWAY.test(host))) return plan;
	const address = await control.hostGateway(signal);
	if (address === undefined) {
		const { transport, facts } = engine;
		throw new EngineError(
			`${transport.target} (Docker ${facts.version}) does not resolve host-gateway`,
			{ hint: "use the IP address, or --transfer tar" },
		);
	}
	const resolved = extraHosts.map((host) => host.replace(HOST_GATEWAY, `:${address}`));
	return { ...plan, request: { ...plan.request, extraHosts: resolved } };
}
