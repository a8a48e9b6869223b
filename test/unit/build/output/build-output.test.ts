import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import {
	buildFailed,
	explainRefusal,
	readBuildOutput,
} from "../../../../src/build/output/build-output.js";
import { StatusResponseSchema } from "../../../../src/buildkit/proto/gen/trace_pb.js";
import { BuildFailedError, ConnectionError, EngineError } from "../../../../src/errors.js";
import type { BuildEvent } from "../../../../src/events.js";

const STREAMS = "fixtures/streams";
const DOCKERS = ["docker-20.10", "docker-28.5"] as const;
const IMAGE = /^sha256:[0-9a-f]{64}$/;

async function* jsonLines(...messages: readonly unknown[]): AsyncGenerator<unknown> {
	yield* messages;
}

/** Reads messages to their end, whatever it is. */
async function read(messages: AsyncIterable<unknown>, context?: string) {
	const events: BuildEvent[] = [];
	const run = {
		emit: (event: BuildEvent) => void events.push(event),
		signal: new AbortController().signal,
	};
	const dockerfile = context && {
		displayName: "Dockerfile",
		content: readFileSync(join(STREAMS, "contexts", context, "Dockerfile")),
	};
	let time = 0;
	const result = await readBuildOutput(messages, dockerfile || undefined, run, {
		now: () => time++,
	}).then(
		({ imageId }) => ({ imageId, error: undefined }),
		(error: unknown) => ({ imageId: undefined, error }),
	);
	return { ...result, events };
}

/** A recording such as "docker-28.5/buildkit-cached", built from fixtures/streams/contexts/CONTEXT. */
function replay(recording: string, context: string) {
	const text = readFileSync(join(STREAMS, `${recording}.jsonl`), "utf8");
	const messages = text
		.split("\n")
		.filter(Boolean)
		.map((line) => JSON.parse(line));
	return read(jsonLines(...messages), context);
}

async function failureOf(recording: string, context: string) {
	const { error, events } = await replay(recording, context);
	assert.ok(error instanceof BuildFailedError, `${recording}: ${error}`);
	return { error, events };
}

/** How each step ended, by name; a step that ended twice has its last end. */
function endings(events: readonly BuildEvent[]): Map<string, string> {
	const ends = new Map<string, string>();
	for (const event of events) {
		if (event.type === "step" && event.status !== "progress") ends.set(event.name, event.status);
	}
	return ends;
}

function outputOf(events: readonly BuildEvent[], stream: "stdout" | "stderr"): string {
	return events
		.flatMap((event) => (event.type === "log" && event.stream === stream ? [event.text] : []))
		.join("");
}

describe("what POST /build answers, as recorded", () => {
	for (const recording of recordings()) {
		it(`${recording} leaves no step open and starts no step that is running`, async () => {
			const { events } = await replay(recording, contextOf(recording));
			const open = new Set<string>();
			for (const event of events) {
				if (event.type !== "step" || event.status === "progress") continue;
				if (event.status === "started") assert.ok(!open.has(event.id), `${event.name} again`);
				if (event.status === "started") open.add(event.id);
				else open.delete(event.id);
			}
			assert.deepEqual([...open], []);
			assert.ok(events.length > 0);
		});
	}

	for (const docker of DOCKERS) {
		it(`is ${docker}'s image, its steps and their output (BuildKit)`, async () => {
			const { imageId, events } = await replay(`${docker}/buildkit-success`, "success");
			assert.match(imageId ?? "", IMAGE);
			const ends = endings(events);
			assert.equal(ends.get('[tools 2/3] RUN echo "to stdout" && echo "to stderr" >&2'), "done");
			assert.equal(ends.get("[stage-1 3/4] COPY --from=tools /app.txt ."), "done");
			assert.equal(ends.get("[internal] load remote build context"), "done");
			assert.equal(ends.get("exporting to image"), "done");
			assert.equal(outputOf(events, "stdout"), "to stdout\nhello\n1\n2\n3\n");
			assert.equal(outputOf(events, "stderr"), "to stderr\n");
		});

		it(`is ${docker}'s image, its steps and their output (classic)`, async () => {
			const { imageId, events } = await replay(`${docker}/classic-success`, "success");
			assert.match(imageId ?? "", IMAGE);
			const names = [...endings(events).keys()];
			assert.equal(names.length, 10);
			assert.equal(names[2], 'Step 3/10 : RUN echo "to stdout" && echo "to stderr" >&2');
			assert.deepEqual(new Set(endings(events).values()), new Set(["done"]));
			assert.equal(outputOf(events, "stdout"), "to stdout\nhello\n1\n2\n3\n");
			assert.equal(outputOf(events, "stderr"), "to stderr\n");
		});

		for (const builder of ["buildkit", "classic"]) {
			it(`has the cache marks of ${docker} (${builder})`, async () => {
				const { imageId, events } = await replay(`${docker}/${builder}-cached`, "success");
				assert.match(imageId ?? "", IMAGE);
				const ends = [...endings(events)];
				const copied = ends.filter(([name]) => /(?:COPY|RUN|WORKDIR) /.test(name));
				assert.equal(copied.length, 5);
				assert.deepEqual(new Set(copied.map(([, status]) => status)), new Set(["cached"]));
				assert.equal(outputOf(events, "stdout"), "");
			});

			it(`names the step, line and last output of a failed RUN in ${docker} (${builder})`, async () => {
				const { error, events } = await failureOf(
					`${docker}/${builder}-failing-run`,
					"failing-run",
				);
				assert.match(
					error.message,
					/^(?:\[3\/4\]|Step 3\/4 :) RUN seq 1 20 && echo "no such tool" >&2 && exit 2 failed: exit code: 2$/,
				);
				const { excerpt, ...position } = error.position ?? {};
				assert.deepEqual(position, {
					file: "Dockerfile",
					line: 5,
					endLine: 7,
					text: "RUN seq 1 20 \\",
				});
				assert.ok(excerpt?.some(({ line }) => line === 7));
				assert.equal(error.logTail.length, 15);
				assert.ok(error.logTail.includes("20"));
				const [failed] = events.filter(
					(event) => event.type === "step" && event.status === "failed",
				);
				assert.match(failed?.type === "step" ? failed.name : "", /RUN seq/);
			});

			it(`names the file that COPY misses in ${docker} (${builder})`, async () => {
				const { error } = await failureOf(`${docker}/${builder}-missing-copy`, "missing-copy");
				assert.match(
					error.message,
					/3\/3[\] :]+COPY missing\.txt \/missing\.txt failed: .*missing\.txt/,
				);
				assert.doesNotMatch(error.message, /checksum of ref|cache key/);
				assert.equal(error.position?.line, 3);
				assert.match(error.hint ?? "", /\.dockerignore/);
			});

			it(`names the base image that is not there in ${docker} (${builder})`, async () => {
				const { error } = await failureOf(`${docker}/${builder}-missing-base`, "missing-base");
				assert.equal(
					error.message,
					"Dockerfile:1: cannot get the image localhost:5979/none:1: localhost:5979 has no such image",
				);
				assert.match(String(error.cause), /the builder says: .*localhost:5979\/none:1.*not found/);
				const { excerpt, ...position } = error.position ?? {};
				assert.deepEqual(position, {
					file: "Dockerfile",
					line: 1,
					endLine: 1,
					text: "FROM localhost:5979/none:1",
				});
				assert.deepEqual(excerpt?.[0], { line: 1, text: "FROM localhost:5979/none:1" });
			});
		}

		it(`has the line of a syntax error in ${docker} (BuildKit)`, async () => {
			const { error } = await failureOf(`${docker}/buildkit-syntax-error`, "syntax-error");
			assert.match(
				error.message,
				/^Dockerfile:3: unknown instruction: RUNN(?: \(did you mean RUN\?\))?$/,
			);
			assert.equal(error.position?.line, 3);
			assert.equal(error.position.text, "RUNN echo hello");
		});

		it(`has the line of a syntax error that ${docker}'s classic builder refuses`, async () => {
			const file = join(STREAMS, docker, "classic-syntax-error.http-400.json");
			const { message } = JSON.parse(readFileSync(file, "utf8"));
			const refused = new EngineError(`box refused POST /build: ${message} (HTTP 400)`, {
				status: 400,
			});
			const error = explainRefusal(refused, {
				displayName: "Dockerfile",
				content: Buffer.from("FROM busybox:local\n\nRUNN echo hello\n"),
			});
			assert.ok(error instanceof BuildFailedError);
			assert.match(error.message, /^Dockerfile:3: unknown instruction: RUNN/);
			assert.deepEqual(error.position?.text, "RUNN echo hello");
		});

		it(`tells which step failed and which was canceled for it in ${docker}`, async () => {
			const { error, events } = await failureOf(`${docker}/buildkit-parallel`, "parallel");
			assert.match(error.message, /^\[bad 2\/2\] RUN .* failed: exit code: 3$/);
			assert.equal(error.position?.line, 5);
			assert.deepEqual(error.logTail, ["broken"]);
			assert.equal(endings(events).get("[slow 2/2] RUN sleep 20"), "canceled");
		});

		it(`has the layers of a pulled base image in ${docker}`, async () => {
			for (const recording of ["buildkit-private-pull", "classic-pull"]) {
				const { events } = await replay(`${docker}/${recording}`, "pull");
				const complete = events.flatMap((event) =>
					event.type === "step" && event.status === "progress" && event.current === event.total
						? [event.total]
						: [],
				);
				assert.ok(
					complete.some((bytes) => bytes > 3_000_000),
					recording,
				);
			}
		});
	}

	it("has BuildKit's warnings about the Dockerfile", async () => {
		const { events } = await replay("docker-28.5/buildkit-warnings", "warnings");
		const warnings = events.filter((event) => event.type === "warning");
		assert.deepEqual(warnings[0], {
			type: "warning",
			message:
				"MaintainerDeprecated: Maintainer instruction is deprecated in favor of using label (line 2)",
			hint: "see https://docs.docker.com/go/dockerfile/rule/maintainer-deprecated/",
		});
	});

	for (const recording of [
		"docker-20.10/classic-warnings",
		"docker-28.5/classic-warnings",
		"podman-5.8/podman-warnings",
	]) {
		it(`has the build argument that nobody asked for in ${recording}`, async () => {
			const { events, imageId } = await replay(recording, "warnings");
			const [warning] = events.filter((event) => event.type === "warning");
			assert.match(warning?.message ?? "", /^one or more build.args.*NOBODY/i);
			assert.match(imageId ?? "", IMAGE);
			assert.equal(outputOf(events, "stdout"), "héllo\n1\n");
		});
	}

	it("is Podman's image and steps", async () => {
		const built = await replay("podman-5.8/podman-success", "success");
		assert.match(built.imageId ?? "", IMAGE);
		assert.equal(endings(built.events).get("[2/2] STEP 3/6: WORKDIR /srv"), "done");
		const cached = await replay("podman-5.8/podman-cached", "success");
		assert.equal(cached.imageId, built.imageId);
		assert.equal(endings(cached.events).get("[2/2] STEP 3/6: WORKDIR /srv"), "cached");
	});

	it("is Podman's failure, with step, line and last output", async () => {
		const run = await failureOf("podman-5.8/podman-failing-run", "failing-run");
		assert.equal(
			run.error.message,
			'STEP 3/4: RUN seq 1 20 && echo "no such tool" >&2 && exit 2 failed: exit code: 2',
		);
		assert.equal(run.error.position?.line, 5);
		assert.equal(run.error.logTail.at(-1), "20");
		const copy = await failureOf("podman-5.8/podman-missing-copy", "missing-copy");
		assert.match(copy.error.hint ?? "", /\.dockerignore/);
		const syntax = await failureOf("podman-5.8/podman-syntax-error", "syntax-error");
		assert.equal(
			syntax.error.message,
			'STEP 2/2: RUNN echo hello failed: Unknown instruction: "RUNN"',
		);
	});
});

describe("what POST /build answers", () => {
	const CLOSED = /^the daemon closed the connection in the middle of the build$/;

	it("must end with an image or an error", async () => {
		for (const messages of [
			[],
			[{ stream: "Step 1/2 : FROM a\n" }],
			[
				{ stream: "Step 1/2 : FROM a AS b\n" },
				{ aux: { ID: "sha256:b" } },
				{ stream: "Step 2/2 : FROM c\n" },
			],
			[{ id: "moby.image.id", aux: {} }],
		]) {
			const { error, events } = await read(jsonLines(...messages));
			assert.ok(error instanceof EngineError);
			assert.match(error.message, CLOSED);
			assert.ok(![...endings(events).values()].includes("started"));
		}
	});

	it("may hold what rbuild does not know", async () => {
		const strange = [
			null,
			7,
			"text",
			[],
			{},
			{ id: "moby.new", aux: {} },
			{ stream: 1, aux: null },
		];
		const { imageId, events } = await read(
			jsonLines(...strange, { id: "moby.image.id", aux: { ID: "sha256:1" } }),
		);
		assert.equal(imageId, "sha256:1");
		assert.deepEqual(events, []);
	});

	it("passes on what breaks the connection, and cancels the open step", async () => {
		const broken = new ConnectionError("lost", "box closed the connection");
		const { error, events } = await read(
			(async function* () {
				yield { stream: "Step 1/2 : RUN make\n" };
				yield { aux: { ID: "sha256:1" } };
				throw broken;
			})(),
		);
		assert.equal(error, broken);
		assert.equal(endings(events).get("Step 1/2 : RUN make"), "canceled");
	});

	it("cancels BuildKit's open steps when the build fails", async () => {
		const report = create(StatusResponseSchema, {
			vertexes: [{ digest: "1", name: "[2/3] RUN make", started: { seconds: 1n } }],
		});
		const aux = Buffer.from(toBinary(StatusResponseSchema, report)).toString("base64");
		const { events } = await read(
			jsonLines({ id: "moby.buildkit.trace", aux }, { error: "no space left on device" }),
		);
		assert.equal(endings(events).get("[2/3] RUN make"), "canceled");
	});

	it("is refused when the trace is not BuildKit's", async () => {
		const { error } = await read(jsonLines({ id: "moby.buildkit.trace", aux: "//////8=" }));
		assert.ok(error instanceof EngineError);
		assert.equal(error.message, "the daemon sent build progress that is not BuildKit's");
	});

	it("may fail without a step, or with an old daemon's error alone", async () => {
		const { error } = await read(jsonLines({ error: "no space left on device\n" }));
		assert.ok(error instanceof BuildFailedError);
		assert.equal(error.message, "the build failed: no space left on device");
		assert.deepEqual(error.logTail, []);
		assert.equal(error.position, undefined);
	});

	it("names a long step in part, on one line", async () => {
		const name = `Step 1/1 : RUN echo\t${"x".repeat(500)}\n  y`;
		const { error } = await read(jsonLines({ stream: name }, { error: "boom" }));
		const [, long] =
			/^(Step 1\/1 : RUN echo x+…) failed: boom$/.exec((error as Error).message) ?? [];
		assert.equal(long?.length, 101);
	});
});

describe("a refused build", () => {
	it("has failed where the classic builder cannot use its context, as it would have with BuildKit", () => {
		for (const [words, message, hint] of [
			["Cannot locate specified Dockerfile: nope", undefined, /-f FILE/],
			["the Dockerfile (Dockerfile) cannot be empty"],
			["error fetching: fatal: repository 'http://a/x.git/' not found"],
			[
				"error downloading remote context http://a/x: failed to GET http://a/x with status 404 Not Found: <html> <p>lorem",
				"error downloading remote context http://a/x: failed to GET http://a/x with status 404 Not Found",
			],
		] as const) {
			const refusal = `box refused POST /build: ${words} (HTTP 500)`;
			const error = explainRefusal(new EngineError(refusal, { status: 500 }), undefined);
			assert.ok(error instanceof BuildFailedError, String(error));
			assert.equal(error.message, `the build failed: ${message ?? words}`);
			assert.match(error.hint ?? "", hint ?? /^$/);
		}
	});

	it("asks whether a stage is meant, where an image of a like name is not there", async () => {
		const text = "FROM scratch AS Builder\nFROM scratch\nCOPY --from=bulider /a /\n";
		const dockerfile = { displayName: "Dockerfile", content: Buffer.from(text) };
		const hintOf = async (image: string, error: string) => {
			const name = `[internal] load metadata for docker.io/library/${image}:latest`;
			return (await buildFailed(error, { name, error, logTail: [] }, dockerfile)).hint ?? "";
		};
		const denied = "pull access denied, repository does not exist or may require authorization";
		assert.match(
			await hintOf("bulider", denied),
			/^did you mean the stage builder\? Otherwise: check the spelling; if it is private, log in /,
		);
		assert.match(await hintOf("busybox", denied), /^check the spelling; /);
		assert.match(await hintOf("bulider", "429 Too Many Requests"), /^wait, /);
	});

	it("keeps any error that is not about the Dockerfile's syntax", () => {
		for (const error of [
			new EngineError("box refused POST /build: invalid reference format (HTTP 400)", {
				status: 400,
			}),
			new EngineError("dockerfile parse error line 3: from a status 500", { status: 500 }),
			new TypeError("dockerfile parse error line 3: a bug"),
		]) {
			assert.equal(explainRefusal(error, undefined), error);
		}
	});
});

function recordings(): string[] {
	return readdirSync(STREAMS, { recursive: true, encoding: "utf8" })
		.filter((file) => file.endsWith(".jsonl"))
		.map((file) => file.replaceAll("\\", "/").replace(/\.jsonl$/, ""))
		.sort();
}

function contextOf(recording: string): string {
	const name = recording.replace(/^.*\/[a-z]+-/, "");
	return existsSync(join(STREAMS, "contexts", name)) ? name : "success";
}
