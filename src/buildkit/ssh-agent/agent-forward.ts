import { create, toBinary } from "@bufbuild/protobuf";
import { GRPC_STATUS, GrpcError } from "../grpc/grpc-status.js";
import { BytesMessageSchema, SSH } from "../proto/gen/ssh_pb.js";
import { decode, type SessionService, unary } from "../session-service.js";

/** What `RUN --mount=type=ssh` reaches behind its socket. */
export interface ForwardedAgent {
	/**
	 * Serves one connection of a build step.
	 * @param incoming what the step sends
	 * @throws RbuildError when the agent cannot be reached any more
	 */
	serve(incoming: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncIterable<Uint8Array>;
}

/** The id of a mount that names none (sshforward.DefaultID). */
export const DEFAULT_AGENT = "default";

/** Metadata that names the agent of a connection (sshforward.KeySSHID). */
const ID_HEADER = "buildkit.ssh.id";

/** moby.sshforward.v1.SSH: the agents that were given for this build, by their ids, and no other. */
export function sshService(agents: ReadonlyMap<string, ForwardedAgent>): SessionService {
	const find = (id: string): ForwardedAgent => {
		const agent = agents.get(id || DEFAULT_AGENT);
		if (agent !== undefined) return agent;
		// In the words that BuildKit has for a client without any agent.
		const message = `no SSH key ${JSON.stringify(id || DEFAULT_AGENT)} forwarded from the client`;
		throw new GrpcError(GRPC_STATUS.notFound, message);
	};
	const { parent, name } = SSH.method.forwardAgent;
	return {
		methods: [
			unary(SSH.method.checkAgent, ({ id }) => {
				find(id);
				return {};
			}),
			{
				path: `/${parent.typeName}/${name}`,
				async *handle(requests, { headers, signal }) {
					const agent = find(String(headers[ID_HEADER] ?? ""));
					for await (const data of agent.serve(bytesOf(requests), signal)) {
						yield toBinary(BytesMessageSchema, create(BytesMessageSchema, { data }));
					}
				},
			},
		],
	};
}

async function* bytesOf(messages: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
	for await (const message of messages) yield decode(BytesMessageSchema, message).data;
}
