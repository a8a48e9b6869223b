import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "./free-port.js";

/** A realm of Kerberos on the loopback address, with one user and one host. */
export interface Realm extends AsyncDisposable {
	/** For sshd: the key of the host is among them. */
	readonly hostVariables: Readonly<Record<string, string>>;
	/** For a user without a ticket. */
	readonly variables: Readonly<Record<string, string>>;
	/** @returns what a user with a ticket finds in the environment */
	logIn(): Readonly<Record<string, string>>;
}

/** @param folder in which it is made; host: as clients call the host */
export async function startRealm(folder: string, user: string, host: string): Promise<Realm> {
	const path = (name: string) => join(folder, name);
	const port = await freePort("127.0.0.1");
	mkdirSync(folder);
	writeFileSync(
		path("krb5.conf"),
		`[libdefaults]
	default_realm = BOX.TEST
	dns_lookup_kdc = false
	dns_lookup_realm = false
	dns_canonicalize_hostname = false
	rdns = false
	udp_preference_limit = 1
[realms]
	BOX.TEST = {
		kdc = 127.0.0.1:${port}
	}
`,
	);
	writeFileSync(
		path("kdc.conf"),
		`[logging]
	kdc = STDERR
[kdcdefaults]
	kdc_listen = ""
	kdc_tcp_listen = 127.0.0.1:${port}
[realms]
	BOX.TEST = {
		database_name = ${path("principal")}
		key_stash_file = ${path("stash")}
		acl_file = ${path("acl")}
	}
`,
	);
	const variables = { KRB5_CONFIG: path("krb5.conf"), KRB5CCNAME: `FILE:${path("no-tickets")}` };
	const env = { ...process.env, ...variables, KRB5_KDC_PROFILE: path("kdc.conf") };
	const run = (program: string, ...argv: readonly string[]) =>
		execFileSync(program, argv, { env, stdio: ["ignore", "ignore", "pipe"] });
	run("/usr/sbin/kdb5_util", "create", "-s", "-P", "master", "-r", "BOX.TEST");
	for (const [principal, keys] of [
		[`host/${host}`, "host.keytab"],
		[user, "user.keytab"],
	]) {
		run("/usr/sbin/kadmin.local", "-q", `addprinc -randkey ${principal}`);
		run("/usr/sbin/kadmin.local", "-q", `ktadd -k ${path(keys ?? "")} ${principal}`);
	}
	const kdc = spawn("/usr/sbin/krb5kdc", ["-n"], { env, stdio: ["ignore", "ignore", "pipe"] });
	await commencing(kdc);
	return {
		variables,
		hostVariables: { ...variables, KRB5_KTNAME: `FILE:${path("host.keytab")}` },
		logIn: () => {
			const KRB5CCNAME = `FILE:${path("tickets")}`;
			run("kinit", "-c", KRB5CCNAME, "-k", "-t", path("user.keytab"), user);
			return { ...variables, KRB5CCNAME };
		},
		async [Symbol.asyncDispose]() {
			if (kdc.exitCode !== null) return;
			kdc.kill();
			await once(kdc, "exit");
		},
	};
}

function commencing(kdc: ChildProcess): Promise<void> {
	return new Promise((resolve, reject) => {
		let log = "";
		kdc.stderr?.setEncoding("utf8").on("data", (text: string) => {
			log += text;
			if (log.includes("commencing operation")) resolve();
		});
		kdc.once("exit", () => reject(new Error(`krb5kdc did not start: ${log}`)));
	});
}
