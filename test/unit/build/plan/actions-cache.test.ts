import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { inspect } from "node:util";
import { planBuild } from "../../../../src/build/plan/build-plan.js";
import type { CacheOption } from "../../../../src/build/plan/options.js";
import { type Surroundings, withPlannedRun } from "../../../../src/build/planned-run.js";
import { plannedSolve } from "../../../../src/build/session/solve-request.js";
import type { Environment } from "../../../../src/environment.js";
import { BuildFailedError } from "../../../../src/errors.js";
import type { BuildEvent } from "../../../../src/events.js";

const { signal } = new AbortController();
const TOKEN = "header.the-payload-of-a-token.signature";
const JOB = {
	ACTIONS_RUNTIME_TOKEN: TOKEN,
	ACTIONS_RESULTS_URL: "https://results.example/",
	ACTIONS_CACHE_URL: "https://cache.example/",
	ACTIONS_CACHE_SERVICE_V2: "True",
};
const GHA: CacheOption = { type: "gha", attrs: { scope: "x" } };

function environmentOf(variables: Environment["variables"]): Environment {
	return {
		variables,
		homeDirectory: "/nonexistent",
		userName: "me",
		platform: "linux",
		workingDirectory: "/nonexistent",
	};
}

/** What is asked of BuildKit, and the warnings before that. */
async function planned(variables: Environment["variables"], cache: CacheOption = GHA) {
	const warnings: string[] = [];
	const emit = (event: BuildEvent) => {
		if (event.type === "warning") warnings.push(event.message);
	};
	const options = { context: ".", cacheFrom: [cache], cacheTo: [cache] };
	const plan = await planBuild(options, environmentOf(variables), { emit, signal });
	const context = { frontendAttrs: {}, frontendInputs: {} };
	const solve = plannedSolve(plan, { ref: "r", sessionId: "s" }, context);
	return { solve, warnings };
}

async function attrsIn(variables: Environment["variables"], cache?: CacheOption) {
	return (await planned(variables, cache)).solve.cacheExports[0]?.attrs;
}

suite("a cache of GitHub Actions", () => {
	test("is reached as the job reaches it that the build is part of", async () => {
		const attrs = {
			...{ scope: "x", token: TOKEN },
			...{ url: JOB.ACTIONS_CACHE_URL, url_v2: JOB.ACTIONS_RESULTS_URL },
		};
		const { solve, warnings } = await planned(JOB);
		assert.deepEqual(solve.cacheExports, [{ type: "gha", attrs }]);
		assert.deepEqual(solve.cacheImports, solve.cacheExports);
		assert.deepEqual(JSON.parse(solve.frontendAttrs["cache-imports"] ?? ""), [
			{ Type: "gha", Attrs: attrs },
		]);
		assert.deepEqual(warnings, []);
	});

	test("is reached by the second version of the service only where that is said", async () => {
		const { ACTIONS_CACHE_URL: _url, ACTIONS_CACHE_SERVICE_V2: _second, ...first } = JOB;
		const url = JOB.ACTIONS_RESULTS_URL;
		assert.deepEqual(await attrsIn(first), { scope: "x", token: TOKEN, url });
		const second = { type: "gha", attrs: { version: "2" } };
		assert.deepEqual(await attrsIn(first, second), {
			version: "2",
			token: TOKEN,
			url,
			url_v2: url,
		});
		const firstOf = { type: "gha", attrs: { version: "1" } };
		assert.equal((await attrsIn(JOB, firstOf))?.url_v2, undefined);
	});

	test("keeps what was said of it", async () => {
		const attrs = { token: "mine", url: "https://a.example/", url_v2: "https://b.example/" };
		assert.deepEqual(await attrsIn(JOB, { type: "gha", attrs }), attrs);
		assert.deepEqual(await attrsIn({}, { type: "gha", attrs }), attrs);
	});

	test("is left out with a warning outside of a job", async () => {
		const { solve, warnings } = await planned({});
		assert.deepEqual([solve.cacheExports, solve.cacheImports], [[], []]);
		assert.equal(solve.frontendAttrs["cache-imports"], undefined);
		assert.deepEqual(warnings, [
			"--cache-to type=gha is ignored: ACTIONS_RUNTIME_TOKEN is not set",
			"--cache-from type=gha is ignored: ACTIONS_RUNTIME_TOKEN is not set",
		]);
		const { ACTIONS_CACHE_URL: _cache, ACTIONS_RESULTS_URL: _results, ...nowhere } = JOB;
		assert.match(
			(await planned(nowhere)).warnings[0] ?? "",
			/type=gha is ignored: ACTIONS_RESULTS_URL is not set$/,
		);
		const empty = { ...JOB, ACTIONS_RUNTIME_TOKEN: "" };
		assert.deepEqual((await planned(empty)).solve.cacheExports, []);
	});

	test("gives its token to no other cache", async () => {
		const registry = { type: "registry", attrs: { ref: "cache" } };
		assert.deepEqual(await attrsIn(JOB, registry), registry.attrs);
	});

	test("keeps its tokens out of the news and errors of the run", async () => {
		const seen: BuildEvent[] = [];
		const given = "a-token-for-the-api";
		const cache = { type: "gha", attrs: { ghtoken: given } };
		const told = `${TOKEN} and ${given}`;
		const error = await withPlannedRun(
			{ context: ".", cacheTo: [cache] },
			{ environment: environmentOf(JOB) } as Surroundings,
			{ emit: (event) => void seen.push(event), signal },
			async ({ run }) => {
				const name = `importing cache manifest from gha:${told}`;
				run.emit({ type: "step", id: "1", name, status: "started" });
				throw new BuildFailedError(`failed with ${told}`, { logTail: [told] });
			},
		).catch((error) => error);
		assert.match(error.message, /^failed with xxxxx and xxxxx$/);
		assert.equal(seen.length, 1);
		assert.doesNotMatch(inspect([seen, error], { depth: null }), /payload|a-token/);
	});
});
