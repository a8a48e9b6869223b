import assert from "node:assert/strict";
import {
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	statSync,
	symlinkSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable, Writable } from "node:stream";
import { afterEach, beforeEach, describe, it } from "node:test";
import { gunzipSync } from "node:zlib";
import { ConnectionError, DeliveryError, EngineError } from "../../../../src/errors.js";
import type { DeliverEvent } from "../../../../src/events.js";
import { saveDelivery, saveToStreamDelivery } from "../../../../src/image/deliveries/save.js";
import { checkSavePlace } from "../../../../src/image/deliveries/save-place.js";
import { noPermissions, noSymlinks } from "../../../support/this-system.js";
import { comesWhole, type FakeRequest, fakeEngine, imageArchive, run } from "../fake-engine.js";

const IMAGE = { id: `sha256:${"a".repeat(64)}`, tags: ["app", "localhost:5000/app:1"] };
const ARCHIVE = imageArchive(IMAGE.id, 3_000_000);
const saveTo = (path: string) => saveDelivery({ path, format: "docker" }, comesWhole);
const asRoot = process.getuid?.() === 0;

describe("saving an image", () => {
	let directory: string;
	beforeEach(() => {
		directory = mkdtempSync(join(tmpdir(), "rbuild-save-"));
	});
	afterEach(() => rmSync(directory, { recursive: true }));

	const sends = (...chunks: (Buffer | Error)[]) =>
		fakeEngine(() =>
			Readable.from(
				(function* () {
					for (const chunk of chunks) {
						if (chunk instanceof Error) throw chunk;
						yield chunk;
					}
				})(),
			),
		);

	it("asks for every tag by its whole name, and for an untagged one by id", async () => {
		const requests: FakeRequest[] = [];
		const engine = fakeEngine((request) => {
			if (request.path === "/images/get") requests.push(request);
			return Readable.from([ARCHIVE]);
		});
		await saveTo(join(directory, "a.tar")).deliver(engine, IMAGE, run());
		await saveTo(join(directory, "a.tar")).deliver(engine, { ...IMAGE, tags: [] }, run());
		assert.deepEqual(
			requests.map(({ path, query }) => [path, query?.names]),
			[
				["/images/get", ["app:latest", "localhost:5000/app:1"]],
				["/images/get", [IMAGE.id]],
			],
		);
	});

	it("writes what the daemon sends, and reports its bytes", async () => {
		const path = join(directory, "app.tar");
		const news = run();
		const report = await saveTo(path).deliver(sends(ARCHIVE), IMAGE, news);
		assert.ok(readFileSync(path).equals(ARCHIVE));
		assert.equal(report.bytes, ARCHIVE.length);
		const events = news.events.filter((event): event is DeliverEvent => event.type === "deliver");
		assert.equal(events.at(0)?.status, "started");
		assert.equal(events.at(1)?.status, "progress");
		assert.deepEqual(events.at(-1), {
			...{ type: "deliver", method: "save", destination: path, status: "done" },
			...{ bytes: ARCHIVE.length, detail: "the whole image: this is a test" },
		});
		assert.equal(report.whole, "this is a test");
	});

	it("tells how much will come, where the daemon's store counts that", async () => {
		const totals = async (size: number, isGraphDriver: boolean) => {
			const news = run();
			const store = isGraphDriver ? { GraphDriver: { Data: {} } } : { Descriptor: {} };
			const engine = fakeEngine(({ path }) =>
				path === "/images/get" ? Readable.from([ARCHIVE]) : { Id: IMAGE.id, Size: size, ...store },
			);
			await saveTo(join(directory, "app.tar")).deliver(engine, IMAGE, news);
			return news.events.flatMap((event) =>
				event.type === "deliver" && event.status === "progress" ? [event.totalBytes] : [],
			);
		};
		const [large, small] = [ARCHIVE.length * 2, 10];
		assert.deepEqual(new Set(await totals(large, true)), new Set([large]));
		// The archive turns out to be larger.
		assert.deepEqual((await totals(small, true)).slice(1), [ARCHIVE.length]);
		assert.deepEqual(new Set(await totals(large, false)), new Set([undefined]));
	});

	for (const name of ["app.tar.gz", "app.tgz", "APP.TGZ"]) {
		it(`compresses ${name}`, async () => {
			const path = join(directory, name);
			await saveTo(path).deliver(sends(ARCHIVE), IMAGE, run());
			assert.ok(gunzipSync(readFileSync(path)).equals(ARCHIVE));
		});
	}

	it("keeps a link, and the mode of the file that it replaces", { skip: noSymlinks }, async () => {
		writeFileSync(join(directory, "real.tar"), "old", { mode: 0o600 });
		symlinkSync("real.tar", join(directory, "link.tar"));
		await saveTo(join(directory, "link.tar")).deliver(sends(ARCHIVE), IMAGE, run());
		assert.ok(readFileSync(join(directory, "real.tar")).equals(ARCHIVE));
		assert.equal(statSync(join(directory, "real.tar")).mode & 0o777, 0o600);
		assert.deepEqual(readdirSync(directory), ["link.tar", "real.tar"]);
	});

	const lost = new ConnectionError("lost", "the box closed the connection");
	for (const [what, chunks, expected] of [
		["is cut short", [ARCHIVE.subarray(0, 2_000_000)], DeliveryError],
		["lacks its end", [ARCHIVE.subarray(0, -1024)], DeliveryError],
		["breaks off", [ARCHIVE.subarray(0, 2_000_000), lost], ConnectionError],
		["is of another image", [imageArchive(`sha256:${"b".repeat(64)}`, 10)], DeliveryError],
	] as const) {
		it(`leaves what was there when the archive ${what}`, async () => {
			const path = join(directory, "app.tar");
			writeFileSync(path, "what was there");
			const saved = saveTo(path).deliver(sends(...chunks), IMAGE, run());
			await assert.rejects(saved, expected);
			assert.equal(readFileSync(path, "utf8"), "what was there");
			assert.deepEqual(readdirSync(directory), ["app.tar"]);
		});
	}

	it("passes the daemon's refusal on", async () => {
		const hint = "look at that driver";
		const engine = fakeEngine(() => {
			throw new EngineError("the box refused: no such driver", { status: 500, hint });
		});
		const saved = saveTo(join(directory, "app.tar")).deliver(engine, IMAGE, run());
		await assert.rejects(saved, {
			name: "DeliveryError",
			message: "cannot export the image: the box refused: no such driver",
			hint,
		});
		assert.deepEqual(readdirSync(directory), []);
	});

	it("says that the disk is full", { skip: process.platform !== "linux" }, async () => {
		const saved = saveTo("/dev/full").deliver(sends(ARCHIVE), IMAGE, run());
		await assert.rejects(saved, {
			name: "DeliveryError",
			message: "cannot save to /dev/full: no space left on the disk",
		});
	});

	it("to a stream leaves it open", async () => {
		const output = new PassThrough();
		const received: Buffer[] = [];
		output.on("data", (chunk) => received.push(chunk));
		await saveToStreamDelivery(output, "-", "docker", comesWhole).deliver(
			sends(ARCHIVE),
			IMAGE,
			run(),
		);
		assert.ok(Buffer.concat(received).equals(ARCHIVE));
		assert.equal(output.writable, true);
	});

	it("to a stream that nobody reads any more is an error", async () => {
		const output = new Writable({
			write: (_chunk, _encoding, done) => done(Object.assign(new Error(), { code: "EPIPE" })),
		});
		await assert.rejects(
			saveToStreamDelivery(output, "-", "docker", comesWhole).deliver(sends(ARCHIVE), IMAGE, run()),
			{
				name: "DeliveryError",
				message: "cannot save to -: the reader has closed it",
			},
		);
	});

	describe("is checked before the build", () => {
		it("and takes a new file, an old file and a device without touching them", async () => {
			writeFileSync(join(directory, "old.tar"), "old");
			await checkSavePlace({ path: join(directory, "old.tar"), format: "docker" });
			await checkSavePlace({ path: join(directory, "new.tar"), format: "docker" });
			if (process.platform === "linux")
				await checkSavePlace({ path: "/dev/null", format: "docker" });
			assert.deepEqual(readdirSync(directory), ["old.tar"]);
			assert.equal(readFileSync(join(directory, "old.tar"), "utf8"), "old");
		});

		it("and refuses a folder, a missing folder, and a file for a folder", async () => {
			writeFileSync(join(directory, "file"), "");
			for (const [path, reason] of [
				[directory, "it is a directory"],
				[join(directory, "missing", "app.tar"), "its folder does not exist"],
				[join(directory, "file", "app.tar"), "part of the path is a file, not a folder"],
				// To Windows, it is a path on which nothing is.
				...(process.platform === "win32"
					? []
					: [[join(directory, "n".repeat(300)), "the name is too long"] as const]),
			] as const) {
				await assert.rejects(checkSavePlace({ path: path, format: "docker" }), {
					name: "DeliveryError",
					message: `cannot save to ${path}: ${reason}`,
				});
			}
		});

		it("and refuses a folder without permission", {
			skip: noPermissions || (asRoot && "root may"),
		}, async () => {
			const folder = join(directory, "locked");
			mkdirSync(folder, { mode: 0o500 });
			await assert.rejects(
				checkSavePlace({ path: join(folder, "app.tar"), format: "docker" }),
				/permission denied/,
			);
		});
	});
});
