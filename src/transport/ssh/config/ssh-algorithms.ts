import type { Algorithms } from "ssh2";
import { matchesPattern } from "./host-pattern.js";
import type { SshOptions } from "./ssh-settings.js";

/** In ssh_config's words. */
type Purpose = "ciphers" | "kexalgorithms" | "macs" | "hostkeyalgorithms";

/** What ssh2 1.17 knows and may use where the configuration says nothing, best first. */
interface Choice {
	/** What OpenSSH calls it. */
	readonly name: string;
	/** In the order of OpenSSH 9. */
	readonly standard: readonly string[];
	/** What ssh2 knows beside that, for those who ask for it. */
	readonly more: readonly string[];
	/** Our own order, where it is not OpenSSH's. */
	readonly preferred?: readonly string[];
}

/** Measured with ssh2's native binding: aes128-gcm carries 700 MB/s, the others follow. */
const PREFERRED_CIPHERS = [
	"aes128-gcm@openssh.com",
	"aes256-gcm@openssh.com",
	"chacha20-poly1305@openssh.com",
	"aes128-ctr",
	"aes192-ctr",
	"aes256-ctr",
];

const CHOICES: Readonly<Record<Purpose, Choice>> = {
	ciphers: {
		name: "Ciphers",
		standard: [
			...["chacha20-poly1305@openssh.com", "aes128-ctr", "aes192-ctr", "aes256-ctr"],
			...["aes128-gcm@openssh.com", "aes256-gcm@openssh.com"],
		],
		more: ["aes256-cbc", "aes192-cbc", "aes128-cbc", "3des-cbc"],
		preferred: PREFERRED_CIPHERS,
	},
	kexalgorithms: {
		name: "KexAlgorithms",
		standard: [
			...["curve25519-sha256", "curve25519-sha256@libssh.org", "ecdh-sha2-nistp256"],
			...["ecdh-sha2-nistp384", "ecdh-sha2-nistp521", "diffie-hellman-group-exchange-sha256"],
			...["diffie-hellman-group16-sha512", "diffie-hellman-group18-sha512"],
			"diffie-hellman-group14-sha256",
		],
		more: [
			...["diffie-hellman-group-exchange-sha1", "diffie-hellman-group14-sha1"],
			"diffie-hellman-group1-sha1",
		],
	},
	macs: {
		name: "MACs",
		standard: [
			...["hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com"],
			...["hmac-sha1-etm@openssh.com", "hmac-sha2-256", "hmac-sha2-512", "hmac-sha1"],
		],
		more: ["hmac-md5", "hmac-sha1-96", "hmac-md5-96"],
	},
	hostkeyalgorithms: {
		name: "HostKeyAlgorithms",
		standard: [
			...["ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"],
			...["rsa-sha2-512", "rsa-sha2-256"],
		],
		more: ["ssh-rsa"],
	},
};

/** What to offer to the server, in this order. */
export interface SshAlgorithms {
	readonly ciphers: readonly string[];
	readonly kexAlgorithms: readonly string[];
	readonly macs: readonly string[];
	readonly hostKeyAlgorithms: readonly string[];
	/** What the configuration allows and ssh2 does not know, for a purpose that has nothing else left. */
	readonly missing: string | undefined;
}

/** From ssh_config's lists, with their forms "+more", "-fewer" and "^first". */
export function chooseAlgorithms(options: SshOptions): SshAlgorithms {
	const missing: string[] = [];
	const choose = (purpose: Purpose): readonly string[] => {
		const wanted = options.get(purpose)?.[0];
		const chosen = known(purpose, wanted);
		if (chosen.length === 0) missing.push(`${CHOICES[purpose].name} ${wanted}`);
		return chosen;
	};
	return {
		ciphers: choose("ciphers"),
		kexAlgorithms: choose("kexalgorithms"),
		macs: choose("macs"),
		hostKeyAlgorithms: choose("hostkeyalgorithms"),
		missing: missing[0],
	};
}

/** As ssh2 wants them. */
export function ssh2Algorithms(
	{ ciphers, kexAlgorithms, macs }: SshAlgorithms,
	hostKeyAlgorithms: readonly string[],
): Algorithms {
	return {
		cipher: [...ciphers],
		kex: [...kexAlgorithms],
		hmac: [...macs],
		serverHostKey: [...hostKeyAlgorithms],
	} as Algorithms;
}

function known(purpose: Purpose, wanted: string | undefined): readonly string[] {
	const { standard, more, preferred = standard } = CHOICES[purpose];
	if (wanted === undefined) return preferred;
	const all = [...standard, ...more];
	const named = wanted.replace(/^[-+^]/, "").split(",");
	const isNamed = (each: string) => named.some((pattern) => matchesPattern(each, pattern));
	if (wanted.startsWith("-")) return standard.filter((each) => !isNamed(each));
	if (wanted.startsWith("+")) {
		return [...standard, ...named.filter((each) => more.includes(each))];
	}
	if (wanted.startsWith("^")) {
		const first = named.filter((each) => all.includes(each));
		return [...first, ...standard.filter((each) => !first.includes(each))];
	}
	const chosen = named.filter((each) => all.includes(each));
	return isDefault(purpose, chosen) ? preferred : chosen;
}

/** `ssh -G` prints its own default, which is no wish of the user's. OpenSSH 10 has another order. */
function isDefault(purpose: Purpose, chosen: readonly string[]): boolean {
	const { standard, preferred } = CHOICES[purpose];
	if (preferred === undefined || chosen.length !== standard.length) return false;
	const text = chosen.join();
	const [first = "", ...others] = standard;
	const gcm = others.filter((each) => each.includes("gcm"));
	const ctr = others.filter((each) => !each.includes("gcm"));
	return text === standard.join() || text === [first, ...gcm, ...ctr].join();
}
