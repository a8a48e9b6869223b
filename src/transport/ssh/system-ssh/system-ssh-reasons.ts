import { readFile } from "node:fs/promises";
import type { SshSettings } from "../config/ssh-settings.js";
import { listAgentKeyTypes } from "../identities/agent-keys.js";
import { privateKeyType } from "../identities/private-key.js";

/**
 * What the settings ask for that ssh2 cannot do: certificates of the user, security keys, PKCS#11.
 * @returns what it is, for people, such as "the certificate /home/ann/.ssh/id_ed25519-cert.pub"
 */
export async function whySystemSsh(settings: SshSettings): Promise<string | undefined> {
	const { identityFiles, login } = settings;
	if (login.pkcs11Provider !== undefined) return `the PKCS#11 provider ${login.pkcs11Provider}`;
	const certificates = [
		...login.certificateFiles,
		...identityFiles.map((path) => `${path.replace(/\.pub$/, "")}-cert.pub`),
	];
	const [held, types] = await Promise.all([
		Promise.all(certificates.map(firstWord)),
		Promise.all(identityFiles.map((path) => keyType(path.replace(/\.pub$/, "")))),
	]);
	const certificate = certificates.find((_path, index) => held[index] !== undefined);
	if (certificate !== undefined) return `the certificate ${certificate}`;
	const securityKey = identityFiles.find((_path, index) => types[index]?.startsWith("sk-"));
	return securityKey === undefined ? undefined : `the security key ${securityKey}`;
}

/**
 * What ssh2 could not offer when no key of the user's was accepted: what an agent holds and ssh2 leaves
 * out, or a Kerberos ticket.
 * @param offered What the server would take.
 */
export async function whySystemSshAfterRefusal(
	{ agentSocket, login }: SshSettings,
	offered: readonly string[],
): Promise<string | undefined> {
	if (login.gssapi && offered.includes("gssapi-with-mic")) return "a Kerberos ticket (GSSAPI)";
	const types = agentSocket === undefined ? [] : await listAgentKeyTypes(agentSocket);
	if (types.some((type) => type.includes("-cert-v01@"))) return "a certificate of the ssh agent";
	return types.some((type) => type.startsWith("sk-"))
		? "a security key of the ssh agent"
		: undefined;
}

/** Of a pair of files, of which either half may be missing. */
async function keyType(path: string): Promise<string | undefined> {
	const type = await firstWord(`${path}.pub`);
	if (type !== undefined) return type;
	const text = await readFile(path, "latin1").catch(() => undefined);
	return text && privateKeyType(text);
}

async function firstWord(path: string): Promise<string | undefined> {
	const text = await readFile(path, "latin1").catch(() => undefined);
	return text?.trimStart().split(/\s/, 1)[0];
}
