import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { homedir, tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, before, test } from "node:test";
import { parseTarget } from "../../src/target/parse-target.js";
import { openTransport, readTransportSettings } from "../../src/transport/open-transport.js";
import type { Transport } from "../../src/transport/transport.js";
import { suiteWithSshd } from "../support/requirement.js";
import { startSshd } from "../support/sshd.js";

const never = new AbortController().signal;

/** Text that a tenth of is enough for. */
const LISTING = Buffer.from(
	Array.from({ length: 20_000 }, (_, n) => `packages/one/src/area-${n % 7}/file-${n}.ts`).join(),
);

suiteWithSshd("compression of what ssh sends", () => {
	let directory: string;
	/** Answers a stream that was ended with the SHA-256 of what came. */
	let digester: Server;
	let socketPath: string;

	before(async () => {
		directory = await mkdtemp(join(tmpdir(), "rbuild-compression-"));
		socketPath = join(directory, "digester.sock");
		digester = createServer({ allowHalfOpen: true }, (socket) => {
			const hash = createHash("sha256");
			// The transport has streams ready that nobody asks for.
			socket.on("error", () => {});
			socket.on("data", (chunk) => hash.update(chunk));
			socket.on("end", () => socket.end(hash.digest("hex")));
		}).listen(socketPath);
		await once(digester, "listening");
	});

	after(async () => {
		digester.close();
		await rm(directory, { recursive: true });
	});

	async function transportTo(sshd: { alias: string; sshConfigFile: string }) {
		const chosen = { target: parseTarget(`ssh://${sshd.alias}${socketPath}`), chosenBy: "--on" };
		const environment = {
			variables: { PATH: process.env.PATH },
			homeDirectory: homedir(),
			userName: userInfo().username,
			platform: process.platform,
			workingDirectory: directory,
			sshConfigFile: sshd.sshConfigFile,
		};
		return openTransport(chosen, readTransportSettings(chosen, environment, never), never);
	}

	/** Sends parts to the digester, compressed where they are to be, and tells what that took. */
	async function send(transport: Transport, parts: readonly (readonly [Buffer, boolean])[]) {
		const stream = await transport.open(never);
		const hash = createHash("sha256");
		const sentBytes: number[] = [];
		for (const [part, compressed] of parts) {
			const before = transport.wire.sent;
			const compression = transport.compress();
			if (compressed) compression.level = 6;
			if (!stream.write(part)) await once(stream, "drain");
			compression[Symbol.dispose]();
			hash.update(part);
			sentBytes.push(transport.wire.sent - before);
		}
		stream.end();
		assert.equal(await text(stream), hash.digest("hex"));
		return sentBytes;
	}

	test("what is sent meanwhile shrinks, and what comes before and after does not", async () => {
		await using sshd = await startSshd();
		await using transport = await transportTo(sshd);
		const [before = 0, meanwhile = 0, after = 0] = await send(transport, [
			[LISTING, false],
			[LISTING, true],
			[LISTING, false],
		]);
		assert.ok(before >= LISTING.length);
		assert.ok(meanwhile < LISTING.length / 5, `${meanwhile} of ${LISTING.length} bytes`);
		assert.ok(after >= LISTING.length);
	});

	test("it lives through new keys", async () => {
		await using sshd = await startSshd({ config: ["RekeyLimit 256K", "LogLevel DEBUG1"] });
		await using transport = await transportTo(sshd);
		const noise = randomBytes(300_000);
		const [first = 0, , second = 0] = await send(transport, [
			[LISTING, true],
			[noise, false],
			[LISTING, true],
			[noise, true],
			[LISTING, false],
		]);
		assert.ok(first < LISTING.length / 5);
		assert.ok(second < LISTING.length / 5);
		assert.match(sshd.log(), /rekey/i);
	});

	test("a server that does not compress gets everything as it is", async () => {
		await using sshd = await startSshd({ config: ["Compression no"] });
		await using transport = await transportTo(sshd);
		const [sent = 0] = await send(transport, [[LISTING, true]]);
		assert.ok(sent >= LISTING.length);
	});
});
