import assert from "node:assert/strict";
import { once } from "node:events";
import { Duplex, PassThrough } from "node:stream";
import { suite, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import type { ClientChannel } from "ssh2";
import { ChannelSocket, type FailureOfExit } from "../../../src/transport/channel-socket.js";

/** Behaves as ssh2's Channel does, its traps included. */
class FakeChannel extends Duplex {
	readonly stderr = new PassThrough();
	readonly written: string[] = [];
	/** As ssh2 holds it until it has passed it on. */
	given: Buffer | undefined;
	closedByUs = false;
	ended = false;
	/** Set while the far side's window is full. */
	held: (() => void) | undefined;
	holding = false;
	/** As far as the far side's window is known: what is written is taken off, as ssh2 does. */
	outgoing: { window: number } | undefined;

	constructor() {
		super({ emitClose: false, highWaterMark: 2 * 1024 * 1024 });
	}

	override _read(): void {}

	override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
		this.written.push(String(chunk));
		this.given = chunk;
		if (this.outgoing) this.outgoing.window -= chunk.length;
		if (this.holding) {
			this.held = done;
		} else {
			done();
		}
	}

	override _final(done: () => void): void {
		this.ended = true;
		done();
	}

	close(): void {
		this.closedByUs = true;
	}

	/** ssh2 emits close once everything has been read, and calls no write callback any more. */
	closeFromAfar(exitCode?: number): void {
		if (exitCode !== undefined) {
			this.emit("exit", exitCode);
		}
		this.push(null);
		this.once("end", () => this.emit("close"));
	}
}

function pair(failureOf?: FailureOfExit) {
	const channel = new FakeChannel();
	const link = new PassThrough({ highWaterMark: 4 });
	return {
		channel,
		link,
		socket: new ChannelSocket(channel as unknown as ClientChannel, link, failureOf),
	};
}

async function textOf(socket: Duplex): Promise<string> {
	let text = "";
	for await (const chunk of socket) {
		text += chunk;
	}
	return text;
}

const lengths = (written: readonly string[]) => written.map(({ length }) => length);

suite("ChannelSocket", () => {
	test("carries bytes both ways", async () => {
		const { channel, socket } = pair();
		socket.write("question");
		channel.push("answer");
		const [chunk] = await once(socket, "data");
		assert.equal(String(chunk), "answer");
		assert.deepEqual(channel.written, ["question"]);
	});

	test("has the methods of a socket", () => {
		const { socket } = pair();
		assert.equal(socket.setNoDelay().setKeepAlive().setTimeout().ref().unref(), socket);
		assert.equal(socket.connecting, false);
	});

	test("gives everything that came before the far side closed, then ends and closes", async () => {
		const { channel, socket } = pair();
		channel.push("a");
		channel.push("b");
		channel.closeFromAfar();
		const closed = once(socket, "close");
		assert.equal(await textOf(socket), "ab");
		await closed;
		assert.equal(socket.destroyed, true);
	});

	test("ends the far side's input, and goes on reading", async () => {
		const { channel, socket } = pair();
		socket.end("last words");
		await once(socket, "finish");
		assert.equal(channel.ended, true);
		assert.equal(channel.closedByUs, false);
		channel.push("answer");
		channel.closeFromAfar();
		assert.equal(await textOf(socket), "answer");
	});

	test("hands on as one what was written at once", () => {
		const { channel, socket } = pair();
		socket.cork();
		for (const part of ["head", "body", "head", "body"]) socket.write(part);
		socket.uncork();
		assert.deepEqual(channel.written, ["headbodyheadbody"]);
	});

	test("keeps what was written at once until the far side has room for it", async () => {
		const { channel, socket } = pair();
		channel.holding = true;
		const writeBoth = (one: string, other: string) => {
			socket.cork();
			socket.write(one);
			socket.write(other);
			socket.uncork();
		};
		writeBoth("first", "half");
		writeBoth("next", "part");
		await turn();
		assert.equal(String(channel.given), "firsthalf");
		channel.held?.();
		await turn();
		assert.equal(String(channel.given), "nextpart");
		assert.deepEqual(channel.written, ["firsthalf", "nextpart"]);
	});

	test("does not confirm a write before the far side has room for it", async () => {
		const { channel, socket } = pair();
		channel.holding = true;
		let confirmed = false;
		socket.write("slow", () => {
			confirmed = true;
		});
		await turn();
		assert.equal(confirmed, false);
		channel.held?.();
		await turn();
		assert.equal(confirmed, true);
	});

	test("does not confirm a write before the link has sent what all channels gave it", async () => {
		const { link, socket } = pair();
		link.write("of another channel");
		let confirmed = false;
		socket.write("mine", () => {
			confirmed = true;
		});
		await turn();
		assert.equal(confirmed, false);
		link.resume();
		await once(link, "drain");
		await turn();
		assert.equal(confirmed, true);
	});

	test("holds back what would be too much on its way, until the far side has passed some on", async () => {
		const { channel, link, socket } = pair();
		channel.outgoing = { window: 2 ** 21 };
		let confirmed = false;
		socket.write("x".repeat(300_000), () => {
			confirmed = true;
		});
		await turn();
		assert.deepEqual(lengths(channel.written), [131_072]);
		link.push("nothing about this channel");
		await turn();
		assert.equal(channel.written.length, 1);
		channel.outgoing.window += 100_000;
		link.push("SSH_MSG_CHANNEL_WINDOW_ADJUST");
		await turn();
		assert.deepEqual(lengths(channel.written), [131_072, 100_000]);
		assert.equal(confirmed, false);
		channel.outgoing.window += 131_072;
		link.push("SSH_MSG_CHANNEL_WINDOW_ADJUST");
		await turn();
		assert.deepEqual(lengths(channel.written), [131_072, 100_000, 68_928]);
		assert.equal(confirmed, true);
		assert.equal(link.listenerCount("data"), 0);
	});

	test("lets more be on its way when the far side has been silent for long", async (context) => {
		context.mock.timers.enable({ apis: ["setTimeout"] });
		const { channel, socket } = pair();
		channel.outgoing = { window: 2 ** 21 };
		socket.write("x".repeat(300_000));
		await turn();
		context.mock.timers.tick(4_000);
		await turn();
		assert.deepEqual(lengths(channel.written), [131_072, 131_072]);
	});

	test("waits for nothing any more when destroyed", async () => {
		const { channel, link, socket } = pair();
		channel.outgoing = { window: 0 };
		socket.write("never");
		await turn();
		assert.equal(link.listenerCount("data"), 1);
		socket.destroy();
		await once(socket, "close");
		assert.equal(link.listenerCount("data"), 0);
		assert.deepEqual(channel.written, []);
	});

	test("stops taking from the channel while nobody reads", async () => {
		const { channel, socket } = pair();
		const chunk = Buffer.alloc(64 * 1024);
		for (let i = 0; i < 64; i++) {
			channel.push(chunk);
		}
		await turn();
		await turn();
		assert.ok(socket.readableLength < 1024 * 1024, `${socket.readableLength} bytes were taken`);
		channel.closeFromAfar();
		let received = 0;
		socket.on("data", (data: Buffer) => {
			received += data.length;
		});
		await once(socket, "close");
		assert.equal(received, 64 * chunk.length);
	});

	test("lets the far side send no more than a window ahead of a slow reader", async () => {
		const { channel, socket } = pair();
		const incoming = { window: 2 ** 21 };
		const channelWindowAdjust = () => {};
		Object.assign(channel, {
			incoming,
			outgoing: { id: 0, state: "open", window: 2 ** 21 },
			_client: { _protocol: { channelWindowAdjust } },
		});
		const chunk = Buffer.alloc(32 * 1024);
		for (let round = 0; round < 1000; round++) {
			for (let sent = 0; sent < 4 && incoming.window >= chunk.length; sent++) {
				incoming.window -= chunk.length;
				channel.push(chunk);
			}
			socket.read(chunk.length);
			if (round % 10 === 0) await turn();
		}
		const held = channel.readableLength + socket.readableLength;
		assert.ok(held < 10 * 2 ** 20, `${held} bytes are held`);
	});

	test("fails a write that the far side will never take, once all was read", async () => {
		const { channel, socket } = pair();
		channel.holding = true;
		socket.write("never taken");
		channel.push("refused");
		channel.closeFromAfar();
		const failed = once(socket, "error");
		let text = "";
		socket.on("data", (chunk) => {
			text += chunk;
		});
		const [error] = await failed;
		assert.equal(error.code, "EPIPE");
		assert.equal(text, "refused");
	});

	test("closes the channel when destroyed, and drops what still comes", async () => {
		const { channel, socket } = pair();
		socket.destroy();
		await once(socket, "close");
		assert.equal(channel.closedByUs, true);
		channel.push("late");
		await turn();
		assert.equal(channel.readableLength, 0);
	});

	test("hands an error on to whoever reads", async () => {
		const { socket } = pair();
		const reading = textOf(socket);
		socket.destroy(new Error("the link is lost"));
		await assert.rejects(reading, /the link is lost/);
	});

	test("tells of a command that failed in place of a clean end", async () => {
		const { channel, socket } = pair((code) =>
			code === 0 ? undefined : new Error(`exit ${code}`),
		);
		const reading = textOf(socket);
		channel.closeFromAfar(3);
		await assert.rejects(reading, /exit 3/);
	});

	test("ends cleanly after a command that did not fail", async () => {
		const { channel, socket } = pair((code) =>
			code === 0 ? undefined : new Error(`exit ${code}`),
		);
		channel.push("all");
		channel.closeFromAfar(0);
		assert.equal(await textOf(socket), "all");
	});
});
