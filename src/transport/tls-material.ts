import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { UsageError } from "../errors.js";
import { systemReason } from "../system-reason.js";
import type { TlsFiles } from "../target/target.js";

/** TLS files that were read and found to be what they should be. */
export interface TlsMaterial {
	/** False: whatever certificate the daemon shows is taken. */
	readonly verify: boolean;
	/** PEM. */
	readonly ca?: Buffer;
	/** What this side shows of itself. The key is secret. */
	readonly identity?: {
		readonly certificate: Buffer;
		readonly key: Buffer;
		/** For messages. */
		readonly file: string;
		readonly expires: Date;
	};
	/** What is not as it should be, and no reason to stop. */
	readonly warnings: readonly { readonly message: string; readonly hint: string }[];
}

/** What the user names the files by, for hints. */
export interface TlsFileFlags {
	readonly ca: string;
	readonly certificate: string;
	readonly key: string;
	/** Both of the client's, such as "--cert and --key". */
	readonly pair: string;
	/** Where else they may have been named; empty: nowhere. */
	readonly elsewhere: string;
}

const DOCKERS_FLAGS: TlsFileFlags = {
	ca: "--tlscacert",
	certificate: "--tlscert",
	key: "--tlskey",
	pair: "cert.pem and key.pem, or --tlscert and --tlskey",
	elsewhere: ", DOCKER_CERT_PATH, or the files of the docker context",
};

/**
 * @param platform where permissions mean nothing, nothing is said of them
 * @param flags absent: docker's
 * @throws UsageError that names the file and what is wrong with it
 */
export async function readTlsMaterial(
	files: TlsFiles,
	platform: NodeJS.Platform,
	flags = DOCKERS_FLAGS,
): Promise<TlsMaterial> {
	const { verify, ca, certificate, key } = files;
	const warnings =
		key !== undefined && platform !== "win32" ? await warningsAbout(key) : ([] as const);
	return {
		verify,
		...(ca === undefined ? {} : { ca: await readAuthorities(ca, flags) }),
		...(await readIdentity(certificate, key, flags)),
		warnings,
	};
}

async function readAuthorities(file: string, flags: TlsFileFlags): Promise<Buffer> {
	const pem = await readPem(file, flags.ca, flags);
	parseCertificate(pem, file);
	return pem;
}

async function readIdentity(
	certificate: string | undefined,
	key: string | undefined,
	flags: TlsFileFlags,
) {
	if (certificate === undefined && key === undefined) return {};
	if (certificate === undefined || key === undefined) {
		const [there, missing] =
			certificate === undefined ? [key, "certificate"] : [certificate, "key"];
		throw new UsageError(`there is no client ${missing} to go with ${there}`, {
			hint: `give both (${flags.pair}), or neither`,
		});
	}
	const [certificatePem, keyPem] = [
		await readPem(certificate, flags.certificate, flags),
		await readPem(key, flags.key, flags),
	];
	const parsed = parseCertificate(certificatePem, certificate);
	if (!parsed.checkPrivateKey(parseKey(keyPem, key))) {
		throw new UsageError(`the key ${key} does not match the certificate ${certificate}`, {
			hint: "use the pair that was made together",
		});
	}
	const expires = new Date(parsed.validTo);
	return { identity: { certificate: certificatePem, key: keyPem, file: certificate, expires } };
}

async function readPem(file: string, flag: string, { elsewhere }: TlsFileFlags): Promise<Buffer> {
	try {
		return await readFile(file);
	} catch (error) {
		throw new UsageError(`cannot read ${file}: ${systemReason(error)}`, {
			hint: `correct the path: ${flag}${elsewhere}`,
			cause: error,
		});
	}
}

/** Of several in a file, the first. */
function parseCertificate(pem: Buffer, file: string): X509Certificate {
	try {
		return new X509Certificate(pem);
	} catch (cause) {
		throw new UsageError(`${file} is not a certificate in PEM`, {
			hint: 'it begins with "-----BEGIN CERTIFICATE-----"; see: openssl x509 -text -in FILE',
			cause,
		});
	}
}

function parseKey(pem: Buffer, file: string): KeyObject {
	// Asked for a passphrase, OpenSSL would read it from the terminal by itself.
	if (/^Proc-Type: 4,ENCRYPTED|^-----BEGIN ENCRYPTED /m.test(pem.toString("latin1"))) {
		throw new UsageError(`the key ${file} is encrypted, which neither docker nor rbuild can use`, {
			hint: `decrypt it with: openssl pkey -in ${file} -out key.pem, and keep that to yourself`,
		});
	}
	try {
		return createPrivateKey(pem);
	} catch (cause) {
		throw new UsageError(`${file} is not a private key in PEM`, {
			hint: 'it begins with "-----BEGIN PRIVATE KEY-----" or the like',
			cause,
		});
	}
}

async function warningsAbout(key: string) {
	const stats = await stat(key).catch(() => undefined);
	if (stats === undefined || (stats.mode & 0o077) === 0) return [];
	const message = `others on this machine may read the key ${key}`;
	return [{ message, hint: `run: chmod 600 ${key}` }];
}
