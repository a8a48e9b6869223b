import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { InterruptedError } from "../../../../../src/errors.js";
import { ForwardedSockets } from "../../../../../src/transport/ssh/system-ssh/forwarded-sockets.js";

const never = new AbortController().signal;

/** What is asked for, each with the means to answer. */
function forwarding() {
	const asked: { path: string; answer(local: string): void; fail(error: Error): void }[] = [];
	const sockets = new ForwardedSockets("box", (path) => {
		const { promise, resolve: answer, reject: fail } = withResolvers();
		asked.push({ path, answer, fail });
		return promise;
	});
	return { sockets, asked };
}

function withResolvers() {
	let resolve: (local: string) => void = () => {};
	let reject: (error: Error) => void = () => {};
	const promise = new Promise<string>((...both) => {
		[resolve, reject] = both;
	});
	return { promise, resolve, reject };
}

suite("a socket that is forwarded", () => {
	test("is asked for once, by however many", async () => {
		const { sockets, asked } = forwarding();
		const both = [sockets.find("/a", never), sockets.find("/a", never)];
		asked[0]?.answer("/tmp/0");
		assert.deepEqual(await Promise.all(both), ["/tmp/0", "/tmp/0"]);
		assert.equal(await sockets.find("/a", never), "/tmp/0");
		void sockets.find("/b", never);
		assert.deepEqual(
			asked.map(({ path }) => path),
			["/a", "/b"],
		);
	});

	test("is asked for again after a failure, which all hear of who waited", async () => {
		const { sockets, asked } = forwarding();
		const both = [sockets.find("/a", never), sockets.find("/a", never)];
		asked[0]?.fail(new Error("not now"));
		for (const one of both) await assert.rejects(one, { message: "not now" });
		const again = sockets.find("/a", never);
		asked[1]?.answer("/tmp/1");
		assert.equal(await again, "/tmp/1");
	});

	test("is for the others when one gives up, who need not wait for it", async () => {
		const { sockets, asked } = forwarding();
		const impatient = new AbortController();
		const [first, second] = [sockets.find("/a", impatient.signal), sockets.find("/a", never)];
		impatient.abort();
		await assert.rejects(first, InterruptedError);
		asked[0]?.answer("/tmp/0");
		assert.equal(await second, "/tmp/0");
		await assert.rejects(sockets.find("/a", impatient.signal), InterruptedError);
		assert.equal(asked.length, 1);
	});
});
