import { execFileSync } from "node:child_process";
import { createPrivateKey, randomUUID, sign, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";

interface TokenServerOptions {
	/** An address of this machine. */
	readonly address: string;
	readonly username: string;
	readonly password: string;
	readonly identityToken: string;
}

/** One request for a token. */
interface TokenRequestSeen {
	readonly method: string;
	/** Where it came from: BuildKit and dockerd are written in Go, and say so or who they are. */
	readonly fromDaemon: boolean;
	readonly login: "none" | "password" | "identity token";
	readonly scopes: readonly string[];
	readonly accepted: boolean;
}

/** Makes tokens for a registry, over TLS with a certificate that nobody knows. */
export interface TokenServer extends AsyncDisposable {
	readonly realm: string;
	readonly service: string;
	readonly issuer: string;
	/** PEM files; the certificate is for the address, whatever the port. */
	readonly certificateFile: string;
	readonly keyFile: string;
	/** So far, but for those that ask for nothing. */
	readonly requests: readonly TokenRequestSeen[];
	/** Every token that was made. */
	readonly tokens: readonly string[];
}

/** Seconds; long enough that none runs out within a test. */
const LIFE = 600;

export async function startTokenServer(options: TokenServerOptions): Promise<TokenServer> {
	const directory = mkdtempSync(join(tmpdir(), "rbuild-tokens-"));
	const certificateFile = join(directory, "certificate.pem");
	const keyFile = join(directory, "key.pem");
	const names = ["-subj", "/CN=rbuild test", "-addext", `subjectAltName=IP:${options.address}`];
	const key = [
		"-newkey",
		"ec",
		"-pkeyopt",
		"ec_paramgen_curve:P-256",
		"-noenc",
		"-keyout",
		keyFile,
	];
	execFileSync(
		"openssl",
		["req", "-x509", ...key, "-out", certificateFile, "-days", "2", ...names],
		{
			stdio: "pipe",
		},
	);
	const service = "rbuild-registry";
	const issuer = "rbuild-tokens";
	const requests: TokenRequestSeen[] = [];
	const tokens: string[] = [];
	const maker = { key: createPrivateKey(readFileSync(keyFile)), certificateFile, issuer };

	const server = createServer({ key: readFileSync(keyFile), cert: readFileSync(certificateFile) });
	server.on("request", async (request, response) => {
		const form = request.method === "POST" ? new URLSearchParams(await text(request)) : undefined;
		const query = form ?? new URL(request.url ?? "", "https://x").searchParams;
		const scopes = query
			.getAll("scope")
			.flatMap((scope) => scope.split(" "))
			.filter(Boolean);
		const login = loginOf(request, form);
		const accepted = scopes.length > 0 && isRight(login, options);
		if (scopes.length > 0) {
			requests.push({
				method: request.method ?? "",
				fromDaemon: /Go-http-client|buildkit|containerd|docker/i.test(
					request.headers["user-agent"] ?? "",
				),
				login: login.kind,
				scopes,
				accepted,
			});
		}
		if (!accepted) {
			response.writeHead(401).end("{}");
			return;
		}
		const token = makeToken(scopes, query.get("service") ?? "", maker);
		tokens.push(token);
		const field = form === undefined ? "token" : "access_token";
		response.setHeader("Content-Type", "application/json");
		response.end(JSON.stringify({ [field]: token, expires_in: LIFE }));
	});
	server.listen(0, options.address);
	await once(server, "listening");
	const { port } = server.address() as AddressInfo;
	return {
		realm: `https://${options.address}:${port}/token`,
		...{ service, issuer, certificateFile, keyFile, requests, tokens },
		async [Symbol.asyncDispose]() {
			server.closeAllConnections();
			server.close();
			await once(server, "close");
			rmSync(directory, { recursive: true });
		},
	};
}

interface Login {
	readonly kind: TokenRequestSeen["login"];
	readonly secret: string;
}

function loginOf({ headers }: IncomingMessage, form: URLSearchParams | undefined): Login {
	const refresh = form?.get("refresh_token");
	if (refresh) return { kind: "identity token", secret: refresh };
	const basic = /^Basic (.*)/.exec(headers.authorization ?? "")?.[1];
	const secret = form
		? `${form.get("username")}:${form.get("password")}`
		: Buffer.from(basic ?? "", "base64").toString();
	return { kind: secret === "" ? "none" : "password", secret };
}

function isRight({ kind, secret }: Login, options: TokenServerOptions): boolean {
	if (kind === "identity token") return secret === options.identityToken;
	return secret === `${options.username}:${options.password}`;
}

/** A JWT of distribution's token authentication, which grants what it is asked for. */
function makeToken(
	scopes: readonly string[],
	service: string,
	maker: { key: ReturnType<typeof createPrivateKey>; certificateFile: string; issuer: string },
): string {
	const certificate = new X509Certificate(readFileSync(maker.certificateFile));
	const now = Math.floor(Date.now() / 1000);
	const header = { typ: "JWT", alg: "ES256", x5c: [certificate.raw.toString("base64")] };
	const claims = {
		iss: maker.issuer,
		sub: "me",
		aud: service,
		iat: now,
		nbf: now - 10,
		exp: now + LIFE,
		jti: randomUUID(),
		access: scopes.map((scope) => {
			const [type, ...rest] = scope.split(":");
			const actions = (rest.pop() ?? "").split(",");
			return { type, name: rest.join(":"), actions };
		}),
	};
	const encode = (part: unknown) => Buffer.from(JSON.stringify(part)).toString("base64url");
	const body = `${encode(header)}.${encode(claims)}`;
	const signature = sign("sha256", Buffer.from(body), {
		key: maker.key,
		dsaEncoding: "ieee-p1363",
	});
	return `${body}.${signature.toString("base64url")}`;
}
