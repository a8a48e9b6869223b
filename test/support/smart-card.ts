import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const LIBRARY = "/usr/lib/softhsm/libsofthsm2.so";

/** A PKCS#11 token in software, with an RSA key of the user's. */
export interface SmartCard {
	/** For ssh_config's PKCS11Provider. */
	readonly provider: string;
	readonly pin: string;
	/** What both the library and its programs must find in their environment. */
	readonly variables: Readonly<Record<string, string>>;
	/** A line for authorized_keys. */
	readonly publicKey: string;
}

/** @param folder in which it is made */
export function makeSmartCard(folder: string): SmartCard {
	const tokens = join(folder, "tokens");
	const settings = join(folder, "softhsm2.conf");
	mkdirSync(tokens);
	writeFileSync(settings, `directories.tokendir = ${tokens}\nobjectstore.backend = file\n`);
	const variables = { SOFTHSM2_CONF: settings };
	const env = { ...process.env, ...variables };
	const run = (program: string, ...argv: readonly string[]) =>
		execFileSync(program, argv, { env, encoding: "utf8" });

	const pin = "4711";
	const label = ["--label", "box"];
	run("softhsm2-util", "--init-token", "--free", ...label, "--pin", pin, "--so-pin", "1147");
	const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
	const key = join(folder, "card-key.pem");
	writeFileSync(key, privateKey.export({ format: "pem", type: "pkcs8" }), { mode: 0o600 });
	const where = ["--token", "box", "--label", "key", "--id", "01"];
	run("softhsm2-util", "--import", key, ...where, "--pin", pin);
	return { provider: LIBRARY, pin, variables, publicKey: run("ssh-keygen", "-D", LIBRARY) };
}
