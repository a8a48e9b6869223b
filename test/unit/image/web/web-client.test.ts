import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { Readable } from "node:stream";
import { after, before, describe, it } from "node:test";
import type { Environment } from "../../../../src/environment.js";
import { type WebRequest, webClient } from "../../../../src/image/web/web-client.js";

const signal = new AbortController().signal;

describe("the web client", () => {
	let server: Server;
	let proxy: Server;
	const tunnels: string[] = [];
	before(async () => {
		server = createServer((request, response) => {
			if (request.url === "/moved") response.writeHead(302, { Location: "/elsewhere" });
			if (request.url === "/silent") return;
			if (request.url === "/half") return void response.write("half");
			request.resume();
			response.end(`${request.method} ${request.url}`);
		}).listen(0, "127.0.0.1");
		proxy = createServer()
			.on("connect", (request, socket) => {
				tunnels.push(request.url ?? "");
				const onward = connect(portOf(server), "127.0.0.1", () => {
					socket.write("HTTP/1.1 200 OK\r\n\r\n");
					socket.pipe(onward).pipe(socket);
				});
				socket.on("error", () => onward.destroy());
			})
			.listen(0, "127.0.0.1");
		await Promise.all([once(server, "listening"), once(proxy, "listening")]);
	});
	after(() => {
		for (const each of [server, proxy]) {
			each.closeAllConnections();
			each.close();
		}
	});

	const portOf = (of: Server) => (of.address() as AddressInfo).port;
	const client = (variables: Record<string, string>) =>
		webClient({ variables } as unknown as Environment);

	it("asks the server itself where no proxy is named, and follows nothing", async () => {
		const url = new URL(`http://127.0.0.1:${portOf(server)}/a`);
		const answer = await client({})(url, { method: "POST", body: "x", signal });
		assert.deepEqual([answer.status, answer.body], [200, "POST /a"]);
		assert.equal((await client({})(new URL("/moved", url), { signal })).status, 302);
		assert.deepEqual(tunnels, []);
	});

	it("goes through the proxy that the environment names, in either case, but for no_proxy", async () => {
		const variables = { HTTP_PROXY: `http://127.0.0.1:${portOf(proxy)}`, no_proxy: "127.0.0.1" };
		const { body } = await client(variables)(new URL("http://auth.invalid/b"), { signal });
		assert.equal(body, "GET /b");
		assert.deepEqual(tunnels, ["auth.invalid:80"]);
		const direct = new URL(`http://127.0.0.1:${portOf(server)}/c`);
		assert.equal((await client(variables)(direct, { signal })).body, "GET /c");
		assert.equal(tunnels.length, 1);
		const short = { http_proxy: `127.0.0.1:${portOf(proxy)}` };
		await client(short)(new URL("http://auth.invalid/d"), { signal });
		assert.equal(tunnels.length, 2);
	});

	describe("gives up a server that has taken the connection", () => {
		const ask = (path: string, request: Partial<WebRequest> = {}) =>
			webClient(
				{ variables: {} } as unknown as Environment,
				undefined,
				50,
			)(new URL(`http://127.0.0.1:${portOf(server)}${path}`), { signal, ...request });

		it("and does not answer, or not to the end", async () => {
			await assert.rejects(ask("/silent"), { code: "UND_ERR_HEADERS_TIMEOUT" });
			await assert.rejects(ask("/half"), { code: "UND_ERR_BODY_TIMEOUT" });
		});

		it("and takes no more of what is sent, however long it may take to answer", async () => {
			let isRead = true;
			const endless = function* () {
				try {
					while (true) yield Buffer.alloc(65_536);
				} finally {
					isRead = false;
				}
			};
			const body = Readable.from(endless());
			const request = { method: "PUT", body, patience: 3_600_000 } as const;
			await assert.rejects(ask("/silent", request), { code: "UND_ERR_BODY_TIMEOUT" });
			if (!body.closed) await once(body, "close");
			assert.equal(isRead, false);
		});

		it("but not for what the body itself fails with", async () => {
			const failing = async function* () {
				yield Buffer.from("a part");
				throw new Error("the file is gone");
			};
			const request = { method: "PUT", body: Readable.from(failing()) } as const;
			await assert.rejects(ask("/a", request), { message: "the file is gone" });
		});
	});
});
