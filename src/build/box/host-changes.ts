import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { Environment } from "../../environment.js";
import { UsageError } from "../../errors.js";
import { AUTO } from "../../target/choose-target.js";
import { removeContext, writeContext } from "../../target/context-changes.js";
import {
	contextFolders,
	DEFAULT_CONTEXT,
	isContextName,
	readContext,
} from "../../target/context-store.js";
import { currentContext, useContext } from "../../target/docker-config.js";
import { isLoopbackHost } from "../../target/loopback.js";
import { DOCKER_PORTS, formatTarget, parseTarget } from "../../target/parse-target.js";
import { sshAliases } from "../../target/ssh-aliases.js";
import type { Target } from "../../target/target.js";
import { readTlsMaterial, type TlsFileFlags } from "../../transport/tls-material.js";

interface NewHost {
	readonly name: string;
	/** As after --on, but no name. */
	readonly endpoint: string;
	readonly description?: string | undefined;
	/** PEM files, relative to the working directory; their content is copied. */
	readonly ca?: string | undefined;
	readonly certificate?: string | undefined;
	readonly key?: string | undefined;
	readonly skipTlsVerify?: boolean | undefined;
}

export interface Remark {
	readonly message: string;
	readonly hint: string;
}

/** Of `rbuild hosts add`. */
const FLAGS: TlsFileFlags = {
	...{ ca: "--ca", certificate: "--cert", key: "--key" },
	...{ pair: "--cert and --key", elsewhere: "" },
};

/**
 * Makes a docker context.
 *
 * @returns what the user should know
 * @throws UsageError; DeliveryError where it cannot be written
 */
export async function addHost(host: NewHost, environment: Environment): Promise<readonly Remark[]> {
	const { name, description = "", skipTlsVerify = false } = host;
	await requireNewName(name, environment);
	const path = (file: string | undefined) => file && resolve(environment.workingDirectory, file);
	const files = {
		...{ ca: path(host.ca), certificate: path(host.certificate), key: path(host.key) },
		verify: !skipTlsVerify,
	};
	const hasTls = skipTlsVerify || Boolean(files.ca || files.certificate || files.key);
	const target = parseTarget(host.endpoint, hasTls ? DOCKER_PORTS.tls : DOCKER_PORTS.tcp);
	if (hasTls && target.kind !== "tcp") {
		throw new UsageError(`${formatTarget(target)} does not use TLS`, {
			hint: "--ca, --cert, --key and --skip-tls-verify are for tcp://host:port",
		});
	}
	const { ca, identity, warnings } = await readTlsMaterial(files, environment.platform, FLAGS);
	const tls = {
		...(ca && { ca }),
		...(identity && { certificate: identity.certificate, key: identity.key }),
	};
	const content = { name, description, host: dockerHost(target), skipTlsVerify, tls };
	await writeContext(content, environment);
	return [
		...warnings,
		...(target.kind === "tcp" && !hasTls ? openToAll(target) : []),
		...(await hiddenAlias(name, target, environment)),
	];
}

/** @throws UsageError for a name that does not exist, or is in use, unless forced; DeliveryError */
export async function removeHost(
	name: string,
	force: boolean,
	environment: Environment,
): Promise<void> {
	if (name === DEFAULT_CONTEXT) {
		throw new UsageError(`the docker context "${name}" cannot be removed`);
	}
	await requireContext(name, environment, "list them with: rbuild hosts");
	const inUse = await currentContext(environment);
	if (name === (environment.variables.DOCKER_CONTEXT || inUse) && !force) {
		throw new UsageError(`the docker context "${name}" is in use`, {
			hint: "use another one first (rbuild hosts use default), or add --force",
		});
	}
	if (name === inUse) await useContext(undefined, environment);
	await removeContext(name, environment);
}

/**
 * Makes a docker context the one that is used where nothing else is named.
 *
 * @returns what the user should know
 * @throws UsageError for a name that does not exist; DeliveryError where it cannot be written
 */
export async function useHost(name: string, environment: Environment): Promise<readonly Remark[]> {
	if (name !== DEFAULT_CONTEXT) {
		const hint = `create it with: rbuild hosts add ${name} ssh://user@host`;
		await requireContext(name, environment, hint);
		await readContext(name, environment);
	}
	await useContext(name === DEFAULT_CONTEXT ? undefined : name, environment);
	const { variables } = environment;
	const stronger = ["RBUILD_ON", "DOCKER_HOST", "DOCKER_CONTEXT"].find((one) => variables[one]);
	if (stronger === undefined) return [];
	return [
		{ message: `${stronger} is set, and takes precedence`, hint: `unset it: unset ${stronger}` },
	];
}

async function requireNewName(name: string, environment: Environment): Promise<void> {
	if (name === DEFAULT_CONTEXT || name === AUTO) {
		throw new UsageError(`"${name}" is a reserved name`, { hint: "choose another name" });
	}
	if (!isContextName(name)) {
		throw new UsageError(`${JSON.stringify(name)} is not a valid docker context name`, {
			hint: "use two or more letters, digits or _ . + -, with a letter or digit first",
		});
	}
	if (await isThere(name, environment)) {
		throw new UsageError(`the docker context "${name}" already exists`, {
			hint: `remove it first: rbuild hosts rm ${name}`,
		});
	}
}

async function requireContext(name: string, environment: Environment, hint: string): Promise<void> {
	if (await isThere(name, environment)) return;
	throw new UsageError(`there is no docker context "${name}"`, { hint });
}

/** Also where its files are broken. */
function isThere(name: string, environment: Environment): Promise<boolean> {
	return stat(contextFolders(name, environment).meta).then(
		() => true,
		() => false,
	);
}

/** What docker takes after -H. */
function dockerHost(target: Target): string {
	const text = formatTarget(target);
	return target.kind === "ssh" && !text.startsWith("ssh://") ? `ssh://${text}` : text;
}

function openToAll(target: { readonly host: string }): readonly Remark[] {
	if (isLoopbackHost(target.host)) return [];
	const message =
		"tcp:// without TLS has no encryption and no login: whoever can reach it is root on that box";
	return [
		{
			message,
			hint: "use ssh, or TLS with --ca, --cert and --key; builds need --insecure otherwise",
		},
	];
}

async function hiddenAlias(name: string, target: Target, environment: Environment) {
	const isSame = target.kind === "ssh" && target.host === name;
	if (isSame || !(await sshAliases(environment)).includes(name)) return [];
	return [
		{
			message: `--on ${name} is now the docker context, not the ssh alias "${name}"`,
			hint: `for the ssh alias: --on ssh://${name}`,
		},
	];
}
