import { GRPC_STATUS, GrpcError } from "./grpc/grpc-status.js";
import { Secrets } from "./proto/gen/secrets_pb.js";
import { type SessionService, unary } from "./session-service.js";

/** The value of a secret; undefined for an id that was not given for this build. */
export type ReadSecret = (id: string, signal: AbortSignal) => Promise<Uint8Array | undefined>;

/**
 * moby.buildkit.secrets.v1.Secrets: for `RUN --mount=type=secret`, and for the tokens with which
 * BuildKit fetches git and http sources. It asks again for each step, also for ids that it can do without.
 */
export function secretsService(readSecret: ReadSecret): SessionService {
	return {
		methods: [
			unary(Secrets.method.getSecret, async ({ id }, { signal }) => {
				const data = await readSecret(id, signal);
				if (data === undefined) {
					throw new GrpcError(GRPC_STATUS.notFound, `no secret ${JSON.stringify(id)} was given`);
				}
				return { data };
			}),
		],
	};
}
