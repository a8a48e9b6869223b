import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

/** A key and what was signed for it, as files. */
export interface Pair {
	readonly certificate: string;
	readonly key: string;
}

/** A certificate authority of our own, in a folder that is its user's to make and to remove. */
export class Authority {
	readonly certificate: string;
	readonly #directory: string;
	readonly #name: string;
	readonly #key: string;
	#count = 0;

	constructor(directory: string, name: string) {
		this.#directory = directory;
		this.#name = name;
		this.#key = join(directory, `${name}-key.pem`);
		this.certificate = join(directory, `${name}.pem`);
		openssl(
			...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
			...["-subj", `/CN=${name}`, "-days", "2", "-keyout", this.#key, "-out", this.certificate],
		);
	}

	/** @param names as in subjectAltName, such as "DNS:localhost,IP:127.0.0.1" */
	forServer(names: string, { expired = false } = {}): Pair {
		return this.#sign(`subjectAltName=${names}\nextendedKeyUsage=serverAuth\n`, expired);
	}

	forClient({ expired = false } = {}): Pair {
		return this.#sign("extendedKeyUsage=clientAuth\n", expired);
	}

	#sign(extensions: string, expired: boolean): Pair {
		this.#count += 1;
		const file = (suffix: string) =>
			join(this.#directory, `${this.#name}-${this.#count}-${suffix}`);
		const pair = { certificate: file("cert.pem"), key: file("key.pem") };
		writeFileSync(file("extensions"), extensions);
		openssl(
			...["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
			...["-subj", "/CN=rbuild test", "-keyout", pair.key, "-out", file("request")],
		);
		openssl(
			...["x509", "-req", "-in", file("request"), "-CA", this.certificate, "-CAkey", this.#key],
			...["-set_serial", String(this.#count), "-extfile", file("extensions")],
			// A negative number of days ends it before now.
			...["-days", expired ? "-1" : "2", "-out", pair.certificate],
		);
		return pair;
	}
}

function openssl(...args: string[]): void {
	execFileSync("openssl", args, { stdio: ["ignore", "ignore", "pipe"] });
}
