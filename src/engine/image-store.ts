import type { Engine } from "./engine.js";

/**
 * Whether images are kept by containerd, with all that BuildKit's own exporters need, or in Docker's
 * older store: what GET /info says as "driver-type" (moby daemon/containerd/service.go).
 *
 * @throws as Engine.json
 */
export async function hasContainerdStore(engine: Engine, signal: AbortSignal): Promise<boolean> {
	const info = await engine.json({ method: "GET", path: "/info", signal });
	const { DriverStatus: status } = (info ?? {}) as { readonly DriverStatus?: unknown };
	return (
		Array.isArray(status) &&
		status.some((pair) => pair?.[0] === "driver-type" && /^io\.containerd\./.test(pair[1]))
	);
}
