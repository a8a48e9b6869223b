import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Environment } from "../environment.js";
import { dockerConfigFolder } from "./docker-config.js";
import type { TlsFiles } from "./target.js";

/** docker's flags for tcp:// with TLS, --tls, --tlsverify, --tlscacert, --tlscert and --tlskey. */
export interface TlsOptions {
	/** Use TLS, and take whatever certificate the daemon shows. */
	readonly tls?: boolean;
	/** Use TLS, and check that certificate. */
	readonly tlsVerify?: boolean;
	readonly tlsCaCert?: string;
	readonly tlsCert?: string;
	readonly tlsKey?: string;
}

/**
 * What TLS is done with where a tcp:// address was written out, as docker decides it (docker/cli,
 * cli/flags): the flags, then DOCKER_TLS_VERIFY, DOCKER_TLS and DOCKER_CERT_PATH. A docker context has TLS
 * files of its own.
 *
 * @returns undefined for no TLS
 */
export async function chooseTlsFiles(
	options: TlsOptions,
	environment: Environment,
): Promise<TlsFiles | undefined> {
	const { variables, workingDirectory } = environment;
	const { tlsVerify, tlsCaCert, tlsCert, tlsKey } = options;
	const tls = options.tls ?? Boolean(variables.DOCKER_TLS);
	// Who names files for it means TLS with all that belongs to it; docker would do without it in silence.
	const named = [tlsCaCert, tlsCert, tlsKey].some((one) => one !== undefined);
	const verify = tlsVerify ?? (Boolean(variables.DOCKER_TLS_VERIFY) || (named && !tls));
	if (!verify && !tls && tlsVerify === undefined) return undefined;

	const folder = resolve(
		workingDirectory,
		variables.DOCKER_CERT_PATH || dockerConfigFolder(environment),
	);
	const path = (given: string | undefined) => given && resolve(workingDirectory, given);
	const usual = async (name: string) => {
		const file = join(folder, name);
		const isThere = await stat(file).then(
			() => true,
			(error: NodeJS.ErrnoException) => error.code !== "ENOENT",
		);
		return isThere ? file : undefined;
	};
	return {
		verify,
		// As with docker, it has to be there.
		ca: verify ? (path(tlsCaCert) ?? join(folder, "ca.pem")) : undefined,
		certificate: path(tlsCert) ?? (await usual("cert.pem")),
		key: path(tlsKey) ?? (await usual("key.pem")),
	};
}
