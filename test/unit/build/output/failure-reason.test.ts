import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { explainFailure } from "../../../../src/build/output/failure-reason.js";

describe("why a build failed", () => {
	for (const [builder, error] of [
		["BuildKit", 'process "/bin/sh -c make" did not complete successfully: exit code: 2'],
		["BuildKit 0.8", "executor failed running [/bin/sh -c make]: exit code: 2"],
		["the classic builder", "The command '/bin/sh -c make' returned a non-zero code: 2"],
		["Podman", 'building at STEP "RUN make": while running runtime: exit status 2\n'],
	] as const) {
		it(`is the exit code of ${builder}'s command`, () => {
			assert.deepEqual(explainFailure(error), { reason: "exit code: 2" });
		});
	}

	it("comes without what builders wrap around it", () => {
		for (const [error, reason] of [
			[
				"failed to solve with frontend dockerfile.v0: failed to create LLB definition: x: y",
				"x: y",
			],
			["failed to solve: rpc error: code = Unknown desc = x", "x"],
			[
				'failed to compute cache key: failed to calculate checksum of ref a::b: "c": gone',
				'"c": gone',
			],
			[
				'building at STEP "RUNN ": Build error: Unknown "RUNN" &imagebuilder.Step{A:1}',
				'Unknown "RUNN"',
			],
			["two\n  lines\n", "two lines"],
		] as const) {
			assert.deepEqual(explainFailure(error), { reason });
		}
	});

	it("comes with a hint where a file is missing", () => {
		for (const error of [
			'failed to calculate checksum of ref a::b: "/x y": not found',
			'"/x" not found: not found',
			"lstat /var/lib/docker/overlay2/a1b2/merged/x: no such file or directory",
			"COPY failed: file not found in build context or excluded by .dockerignore: stat x: file does not exist",
			'building at STEP "COPY x /x": checking on sources under "/var/tmp/b": copier: stat: "/x": no such file or directory',
		]) {
			assert.match(explainFailure(error).hint ?? "", /\.dockerignore leaves it out/, error);
			assert.match(explainFailure(error, "none").hint ?? "", /has no build context.* -f -$/, error);
			assert.match(explainFailure(error, "--from").hint ?? "", /that --from names/, error);
		}
	});

	it("comes without what Podman's copier was told, where that finds nothing", () => {
		const error =
			'building at STEP "COPY x /": reading "/b/x": error during bulk transfer for copier.request{Request:"GET", Root:"/", M:{N:[]string{"a: b"}}}: copier: get: lstat "/x"("/y"): lstat /y: no such file or directory';
		assert.equal(
			explainFailure(error).reason,
			'copier: get: lstat "/x"("/y"): lstat /y: no such file or directory',
		);
	});

	it("comes with a hint by what the command said", () => {
		const error = 'process "/tool" did not complete successfully: exit code: 255';
		for (const [line, hint] of [
			["exec /bin/sh: exec format error", /another architecture.*--platform$/],
			["/bin/sh: ./tool: Exec format error", /another architecture/],
			["cp: error writing '/x': No space left on device", /docker builder prune/],
		] as const) {
			assert.match(explainFailure(error, "context", [line, "make: *** x"]).hint ?? "", hint, line);
		}
		for (const line of ["done", "no space left on device is what we look for"]) {
			assert.deepEqual(explainFailure(error, "context", [line]), { reason: "exit code: 255" });
		}
	});

	it("is a cut off archive, where one ends too early", () => {
		assert.match(explainFailure("failed to solve: unexpected EOF").hint ?? "", /is truncated/);
		assert.equal(explainFailure("failed to copy: read: unexpected EOF").hint, undefined);
	});

	it("is a .dockerignore of many megabytes, where a sync takes too many headers", () => {
		const error =
			"rpc error: code = Internal desc = rpc error: code = Internal desc = header list size to send violates the maximum size (16777216 bytes) set by server";
		assert.deepEqual(explainFailure(error), {
			reason: "header list size to send violates the maximum size (16777216 bytes) set by server",
			hint: "the .dockerignore has too many lines for a sync: make it shorter, or use --transfer tar",
		});
	});

	it("says who needs git, where there is none", () => {
		const error =
			'error fetching default branch: git stderr: : exec: "git": executable file not found in $PATH';
		assert.match(explainFailure(error).hint ?? "", /^the build machine .* install it there/);
	});

	it("says who fetches what is named by a URL, and with which logins", () => {
		for (const git of [
			"failed to fetch remote https://github.com/me/x.git: git stderr: fatal: could not read Username for 'https://github.com': terminal prompts disabled",
			"error fetching default branch for repository https://github.com/me/x.git: git stderr: fatal: unable to access",
		]) {
			assert.match(explainFailure(git).hint ?? "", /^the build machine fetches it.* ssh address/);
		}
		for (const url of [
			'Get "https://example.com/a": dial tcp: connect: connection refused',
			'building at STEP "ADD https://example.com/a /": reading "https://example.com/a": Get "https://example.com/a": dial tcp: no such host',
		]) {
			assert.match(explainFailure(url).hint ?? "", /^that URL is fetched by the build machine/);
		}
	});

	it("names the flag that allows what a step is not allowed", () => {
		const { reason, hint } = explainFailure("failed to load LLB: network.host is not allowed");
		assert.equal(reason, "network.host is not allowed");
		assert.match(hint ?? "", /--allow network\.host$/);
	});

	it("names the flag that gives the secret or the agent that a step asks for", () => {
		for (const error of [
			"secret a.b not found: not found",
			"secret a.b: not found",
			`building at STEP "RUN x": resolving mountpoints for container "${"0a".repeat(32)}": secret required but no secret with id "a.b" found`,
		]) {
			assert.match(explainFailure(error).hint ?? "", /--secret id=a\.b,src=FILE/);
		}
		assert.deepEqual(explainFailure('NotFound: no SSH key "x$1" forwarded from the client'), {
			reason: 'no SSH key "x$1" forwarded from the client',
			hint: "forward your ssh agent with --ssh x$1, or a key with --ssh x$1=FILE",
		});
		assert.match(
			explainFailure('no SSH key "" forwarded from the client').hint ?? "",
			/--ssh default, or a key with --ssh default=FILE$/,
		);
	});

	it("says what to look at where the box cannot fetch a URL or a part of a repository", () => {
		for (const [error, hint] of [
			[
				'repository does not contain ref 394ef8a, output: ""',
				/a commit needs all of its 40 digits$/,
			],
			["invalid response status 404", /not by this one/],
			[
				'Get "http://10.0.0.9:1/x.tar": dial tcp 10.0.0.9:1: connect: connection refused',
				/not by this one/,
			],
		] as const) {
			assert.match(explainFailure(error).hint ?? "", hint, error);
		}
		const ours = 'Get "http://build-context-a1": unexpected status';
		assert.equal(explainFailure(ours).hint, undefined);
	});

	it("says what an annotation of an index takes", () => {
		const error = "failed to solve: index annotations not supported for single platform export";
		assert.match(explainFailure(error).hint ?? "", /--provenance=true/);
	});

	it("has no hint for an image that is missing", () => {
		assert.equal(explainFailure("docker.io/library/nope:1: not found").hint, undefined);
	});

	it("comes with one hint where the box has lost the context, however it came there", () => {
		for (const error of [
			'failed to solve: Get "http://build-context-x1y2": context not found',
			"failed to solve: rpc error: code = NotFound desc = the build context was lost on the box, and cannot be read a second time",
		]) {
			assert.equal(
				explainFailure(error).hint,
				"its build cache was pruned while it built: build again",
			);
		}
	});

	it("comes with a hint where the command was killed or is for another architecture", () => {
		assert.match(
			explainFailure("The command 'ld' returned a non-zero code: 137").hint ?? "",
			/ran out of memory/,
		);
		assert.match(explainFailure("exec /bin/sh: exec format error").hint ?? "", /--platform/);
		// docker 28.5, while it took in the context.
		assert.match(
			explainFailure("write /var/lib/docker/overlay2/op1/diff/context: no space left on device")
				.hint ?? "",
			/disk is full.*docker builder prune/,
		);
	});
});
