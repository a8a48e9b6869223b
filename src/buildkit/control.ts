import { randomBytes } from "node:crypto";
import type { Engine } from "../engine/engine.js";
import { joinPlatform } from "../engine/platforms.js";
import { GrpcClient } from "./grpc/grpc-client.js";
import { Control as ControlService } from "./proto/gen/control_pb.js";
import { LLBBridge } from "./proto/gen/gateway_pb.js";
import type { Definition } from "./proto/gen/ops_pb.js";
import type { StatusResponse } from "./proto/gen/trace_pb.js";

/** An exporter or a cache, in the way BuildKit names them: "moby" with { name: "app:latest" }. */
export interface TypedAttrs {
	readonly type: string;
	readonly attrs: Readonly<Record<string, string>>;
}

/** The frontend that is part of the daemon. A "# syntax=" line has it call another one. */
const FRONTEND = "dockerfile.v0";

/** Names the build that a call to the gateway belongs to (BuildKit client/buildid). */
const BUILD_HEADER = "buildkit-controlapi-buildid";

/** The label of the daemon's worker that tells what "host-gateway" stands for (Docker 23.0 and later). */
const HOST_GATEWAY_LABEL = "org.mobyproject.buildkit.worker.moby.host-gateway-ip";

/** A build by BuildKit's own Dockerfile frontend. */
export interface SolveRequest {
	/** Names the build for `status`; unique on the daemon. */
	readonly ref: string;
	/** The session that serves it. */
	readonly sessionId: string;
	/** What the frontend is told (BuildKit frontend/dockerui/config.go). */
	readonly frontendAttrs: Readonly<Record<string, string>>;
	/** Directories that it need not ask the session for, by their names there. */
	readonly frontendInputs: Readonly<Record<string, Definition>>;
	/** What is made of the result: nothing, if there are none. BuildKit up to 0.12 takes one at most. */
	readonly exporters: readonly TypedAttrs[];
	readonly cacheImports: readonly TypedAttrs[];
	readonly cacheExports: readonly TypedAttrs[];
	/** What steps may do beside the usual, such as "network.host". */
	readonly entitlements: readonly string[];
}

export function newBuildRef(): string {
	return randomBytes(16).toString("hex");
}

/**
 * BuildKit's Control API inside of the Docker daemon: POST /grpc (API 1.39+) hands the connection over,
 * and from then on this side is the gRPC client on it.
 */
export class Control implements Disposable {
	readonly #client: GrpcClient;

	/** @throws EngineError when the daemon has no BuildKit; ConnectionError; InterruptedError */
	static async open(engine: Engine, signal: AbortSignal): Promise<Control> {
		const request = { method: "POST", path: "/grpc", protocol: "h2c", signal } as const;
		return new Control(new GrpcClient(await engine.hijack(request)));
	}

	private constructor(client: GrpcClient) {
		this.#client = client;
	}

	/**
	 * Builds; aborting stops the build.
	 *
	 * @returns what the exporters say of the result, such as "containerimage.digest"
	 * @throws GrpcError when the build fails; and as GrpcClient
	 */
	async solve(
		request: SolveRequest,
		signal: AbortSignal,
	): Promise<Readonly<Record<string, string>>> {
		const { ref, sessionId, frontendAttrs, frontendInputs, exporters, entitlements } = request;
		const [exporter] = exporters;
		const { exporterResponse } = await this.#client.unary(
			ControlService.method.solve,
			{
				ref,
				session: sessionId,
				frontend: FRONTEND,
				frontendAttrs,
				frontendInputs,
				exporter: exporter?.type ?? "",
				exporterAttrs: exporter?.attrs ?? {},
				exporters: [...exporters],
				cache: { imports: [...request.cacheImports], exports: [...request.cacheExports] },
				entitlements: [...entitlements],
			},
			{ signal },
		);
		return exporterResponse;
	}

	/**
	 * Asks the frontend about a Dockerfile instead of building it (BuildKit frontend/subrequests). The
	 * answer comes through the gateway of a build that is run from here, as Solve would drop it.
	 *
	 * @param requestId such as "frontend.lint"
	 * @returns such as "result.txt" and "result.json"
	 * @throws GrpcError when the frontend cannot answer; and as GrpcClient
	 */
	async ask(
		{ ref, sessionId, frontendAttrs, frontendInputs }: SolveRequest,
		requestId: string,
		signal: AbortSignal,
	): Promise<Readonly<Record<string, Uint8Array>>> {
		const answered = new AbortController();
		const build = this.#client.unary(
			ControlService.method.solve,
			{ ref, session: sessionId, internal: true, cache: {} },
			{ signal: AbortSignal.any([signal, answered.signal]) },
		);
		// It ends when this side has done with it; what went wrong is told by the calls below.
		const over = build.catch(() => {});
		const call = { signal, headers: { [BUILD_HEADER]: ref } };
		try {
			const { result } = await this.#client.unary(
				LLBBridge.method.solve,
				{
					frontend: FRONTEND,
					frontendOpt: {
						...frontendAttrs,
						requestid: requestId,
						"frontend.caps": [
							...(frontendAttrs["frontend.caps"]?.split(",") ?? []),
							"moby.buildkit.frontend.subrequests+forward",
						].join(","),
					},
					frontendInputs,
					allowResultReturn: true,
					allowResultArrayRef: true,
				},
				call,
			);
			await this.#client.unary(LLBBridge.method.return, { result: {} }, call);
			return result?.metadata ?? {};
		} finally {
			answered.abort();
			await over;
		}
	}

	/**
	 * The address of the daemon's machine, as its containers see it.
	 *
	 * @returns undefined where the daemon does not tell
	 * @throws as GrpcClient
	 */
	async hostGateway(signal: AbortSignal): Promise<string | undefined> {
		const { record } = await this.#client.unary(ControlService.method.listWorkers, {}, { signal });
		return record.map(({ labels }) => labels[HOST_GATEWAY_LABEL]).find(Boolean);
	}

	/**
	 * What steps can be run for, natively or emulated.
	 *
	 * @returns OCI platforms
	 * @throws as GrpcClient
	 */
	async platforms(signal: AbortSignal): Promise<readonly string[]> {
		const { record } = await this.#client.unary(ControlService.method.listWorkers, {}, { signal });
		const all = record.flatMap(({ platforms }) =>
			platforms.map(({ os, architecture, variant }) => joinPlatform(os, architecture, variant)),
		);
		return [...new Set(all)];
	}

	/**
	 * The progress of a build that was asked for, or will be within some seconds, to its end.
	 *
	 * @throws as GrpcClient
	 */
	status(ref: string, signal: AbortSignal): AsyncIterable<StatusResponse> {
		return this.#client.serverStreaming(ControlService.method.status, { ref }, { signal });
	}

	[Symbol.dispose](): void {
		this.#client.close();
	}
}
