import { once } from "node:events";
import { chmod, readFile, writeFile } from "node:fs/promises";
import { type AddressInfo, connect } from "node:net";
import { userInfo } from "node:os";
import { join } from "node:path";
import ssh2, { type AuthContext, type Connection } from "ssh2";
import { makeKey } from "./ssh-programs.js";

interface AskingSshdOptions {
	/** What a login takes, one after the other, as sshd's AuthenticationMethods. */
	readonly methods: readonly ("publickey" | "password" | "keyboard-interactive")[];
	readonly password?: string;
	/** What is asked, and the right answers. */
	readonly questions?: readonly { readonly prompt: string; readonly answer: string }[];
	/** The public key's file. */
	readonly authorizedKey?: string;
}

interface AskingSshd extends AsyncDisposable {
	readonly sshConfigFile: string;
	readonly alias: string;
}

/**
 * A server that wants to know a password or the like, which OpenSSH's asks only for users of this machine
 * that have one. It forwards to unix sockets and runs nothing.
 */
export async function startAskingSshd(
	folder: string,
	options: AskingSshdOptions,
): Promise<AskingSshd> {
	const hostKey = makeKey(
		join(folder, `asking-${options.methods.join("-")}-${Date.now()}`),
		"ed25519",
	);
	const connections = new Set<Connection>();
	const server = new ssh2.Server({ hostKeys: [await readFile(hostKey)] }, (connection) => {
		connections.add(connection);
		connection.on("error", () => {}).on("close", () => connections.delete(connection));
		const left = [...options.methods];
		connection.on("authentication", (context) => {
			void judge(context, left[0], options).then((verdict) => {
				if (verdict === "right") left.shift();
				const isIn = verdict === "right" && left.length === 0;
				if (isIn || verdict === "would do") context.accept();
				else context.reject(left.slice(0, 1), verdict === "right");
			});
		});
		// ssh2's types know no such event.
		(connection as NodeJS.EventEmitter).on("openssh.streamlocal", (accept, _reject, info) => {
			const channel = accept();
			channel.pipe(connect(info.socketPath)).pipe(channel);
		});
	});
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	const { port } = server.address() as AddressInfo;
	const alias = "asking";
	const [type, key] = (await readFile(`${hostKey}.pub`, "utf8")).split(" ");
	const knownHosts = `${hostKey}.known`;
	await writeFile(knownHosts, `[127.0.0.1]:${port} ${type} ${key}\n`);
	const sshConfigFile = `${hostKey}.config`;
	await writeFile(
		sshConfigFile,
		`Host ${alias}
  HostName 127.0.0.1
  Port ${port}
  User ${userInfo().username}
  IdentityAgent none
  UserKnownHostsFile ${knownHosts}
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
`,
	);
	await chmod(sshConfigFile, 0o600);
	return {
		alias,
		sshConfigFile,
		async [Symbol.asyncDispose]() {
			for (const connection of connections) connection.end();
			server.close();
			await once(server, "close");
		},
	};
}

/** Of a public key without a signature it is only said that it would do (RFC 4252, section 7). */
type Verdict = "right" | "wrong" | "would do";

async function judge(
	context: AuthContext,
	wanted: string | undefined,
	options: AskingSshdOptions,
): Promise<Verdict> {
	const { password, questions = [], authorizedKey = "" } = options;
	const verdict = (isRight: boolean) => (isRight ? "right" : "wrong");
	if (context.method !== wanted) return "wrong";
	switch (context.method) {
		case "password":
			return verdict(context.password === password);
		case "keyboard-interactive":
			return await new Promise((resolve) => {
				context.prompt(
					questions.map(({ prompt }) => ({ prompt, echo: false })),
					(answers) =>
						resolve(verdict(questions.every(({ answer }, index) => answers[index] === answer))),
				);
			});
		case "publickey": {
			const allowed = ssh2.utils.parseKey(await readFile(authorizedKey));
			if (allowed instanceof Error || Array.isArray(allowed)) return "wrong";
			if (!allowed.getPublicSSH().equals(context.key.data)) return "wrong";
			if (context.signature === undefined) return "would do";
			const { blob = Buffer.alloc(0), signature, hashAlgo } = context;
			return verdict(allowed.verify(blob, signature, hashAlgo) === true);
		}
		default:
			return "wrong";
	}
}
