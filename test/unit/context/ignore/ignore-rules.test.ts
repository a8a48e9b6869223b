import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { IgnoreRules, type MatchState } from "../../../../src/context/ignore/ignore-rules.js";
import { ContextError } from "../../../../src/errors.js";
import { anyCharacter } from "../../../support/any-character.js";
import { sentPaths } from "./sent-paths.js";

describe("rules", () => {
	it("match from the context's root, not at any depth", () => {
		assert.deepEqual(ignored("a\n", "a", "a/x", "b/a", "ab"), ["a", "a/x"]);
		assert.deepEqual(ignored("**/a\n", "a", "a/x", "b/a", "ab", "ba"), ["a", "a/x", "b/a"]);
	});

	it("apply in order, and the last one that fits decides", () => {
		assert.deepEqual(ignored("*.md\n!R*.md\nR2.md", "a.md", "R.md", "R2.md"), ["a.md", "R2.md"]);
	});

	it("fit what is below, but are not tried again where they change nothing", () => {
		assert.deepEqual(ignored("d/a\n!d", "d", "d/a", "d/b"), ["d/a"]);
		assert.deepEqual(ignored("d\n!d/a\nd", "d", "d/a", "d/b"), ["d", "d/b"]);
	});

	it("treat a wildcard as Go does: any character but a slash, a newline and an emoji included", () => {
		assert.deepEqual(ignored("a?b", "a\nb", "a😀b", "a\udce9b", "a/b", "ab"), [
			...["a\nb", "a😀b", "a\udce9b"],
		]);
	});

	it("compare bytes where no wildcard is in the way", () => {
		assert.deepEqual(ignored("\udce9", "\udce9", "\udcea", "\ufffd"), ["\udce9"]);
		assert.deepEqual(ignored("\udcc3**", "\udcc3x", "é", "\udcc4"), ["\udcc3x", "é"]);
		assert.deepEqual(ignored("**\udca9", "x\udca9", "é", "a"), ["x\udca9", "é"]);
		assert.deepEqual(ignored("\udcc3*", "\udcc3x", "\udcc4", "\ufffd", "é"), [
			...["\udcc3x", "\udcc4", "\ufffd"],
		]);
	});

	it("can be explained: which rule decided, and which fit", () => {
		const rules = IgnoreRules.parse(
			"# build output\ndist\n\n!dist/keep\n",
			".dockerignore",
			"linux",
		);
		const dist = rules.match("dist", rules.root());
		const kept = rules.match("dist/keep", dist);
		assert.deepEqual([dist.rule?.line, dist.rule?.text, dist.ignored], [2, "dist", true]);
		assert.deepEqual([kept.rule?.line, kept.rule?.text, kept.ignored], [4, "!dist/keep", false]);
		assert.deepEqual(kept.fits, rules.rules);
		assert.equal(rules.match("src", rules.root()).rule, undefined);
	});

	it("hand on the parent's state where no other rule fits", () => {
		const rules = IgnoreRules.parse("a\n*.o", "f", "linux");
		const directory = rules.match("a", rules.root());
		assert.equal(rules.match("a/b", directory), directory);
		assert.equal(rules.match("c", rules.root()), rules.root());
	});

	it("may be none", () => {
		assert.equal(IgnoreRules.none().match("a", IgnoreRules.none().root()).ignored, false);
	});
});

describe("on Windows, where a \\ separates folders for docker, too", () => {
	const rules = (content: string) => IgnoreRules.parse(content, "f", "win32");

	it("rules may be written with it", () => {
		const read = rules("sub\\key.pem\r\nobj\\\r\n**\\bin\r\n.\\x\\..\\y\r\n!obj\\kept\r\n");
		const paths = ["sub/key.pem", "subkey.pem", "obj/a", "obj/kept", "bin", "a/bin/b", "x", "y"];
		assert.deepEqual(
			paths.filter((path) => read.ignores(path)),
			["sub/key.pem", "obj/a", "bin", "a/bin/b", "y"],
		);
		const handedOn = IgnoreRules.of(["sub\\key.pem"], "f", "win32");
		assert.equal(handedOn.ignores("sub/key.pem"), true);
	});

	it("it takes the meaning of nothing away", () => {
		assert.equal(rules("a\\*b").ignores("a*b"), false);
		assert.equal(rules("a\\*b").ignores("a/xb"), true);
		assert.throws(() => rules("\\[x"), {
			message: "f:1: syntax error in the pattern \\[x",
			hint: "nothing takes the special meaning of a [ away on Windows: write ? in its place",
		});
	});

	it("a rule that starts with it fits nothing", () => {
		assert.equal(rules("\\a").ignores("a"), false);
		assert.equal(rules("/a").ignores("a"), true);
	});
});

describe("paths that are kept", () => {
	const files = ["Dockerfile", "a", "docker/", "docker/[x]*", "docker/y"];

	it("are sent although a rule fits them", () => {
		const rules = IgnoreRules.parse("**\n", "f", "linux").keeping(["Dockerfile"]);
		assert.deepEqual(sentPaths(rules, files), ["Dockerfile"]);
		const kept = rules.match("Dockerfile", rules.root());
		assert.deepEqual([kept.rule?.text, kept.rule?.line], ["!Dockerfile", undefined]);
	});

	it("are names and not patterns, and are found in ignored directories", () => {
		const rules = IgnoreRules.parse("*\n", "f", "linux").keeping(["docker/[x]*"]);
		assert.deepEqual(sentPaths(rules, files), ["docker/", "docker/[x]*"]);
	});
});

describe("an ignored directory", () => {
	it("is not entered if there is no negation", () => {
		assert.equal(enters("d", "d"), false);
	});

	it("is entered if a later negation is for something below", () => {
		for (const negation of ["!d/a", "!d/e/a", "!d/*", "!d/**", "!d/e/*"]) {
			assert.equal(enters(`d\n${negation}`, "d"), true, negation);
		}
	});

	it("is entered if a later negation has wildcards and may match below", () => {
		for (const negation of ["!**/a", "!*/a", "!d/a*", "!?/a", "![a-z]/a", "!\\w/a"]) {
			assert.equal(enters(`d\n${negation}`, "d"), true, negation);
		}
	});

	it("is not entered for a negation that is for something else", () => {
		for (const negation of ["!e/a", "!dd/a", "!e/*", "!docs/**/*.md"]) {
			assert.equal(enters(`d\n${negation}`, "d"), false, negation);
		}
	});

	it("is not entered for a negation that comes before the rule that ignores it", () => {
		assert.equal(enters("!**/README.md\nnode_modules", "node_modules"), false);
	});

	it("is not entered where BuildKit does not, even if a negation would match below", () => {
		assert.equal(enters("*\n!d/*/**", "d"), true);
		assert.equal(enters("*\n!d/*/**", "d/e"), false);
		assert.equal(enters("*\n!d/*/**\n!*.z", "d/e"), true);
	});
});

describe("a broken pattern", () => {
	it("is refused with its line", () => {
		for (const pattern of ["[", "a[", "[]", "[a-]", "[-a]", "a\\", "!x[", "?*[", "[\udce9]"]) {
			assert.throws(() => IgnoreRules.parse(`a\n\n  ${pattern}\n`, "sub/x.dockerignore", "linux"), {
				name: "ContextError",
				message: /^sub\/x\.dockerignore:3: syntax error in the pattern /,
			});
		}
	});

	it("is refused only when it is tried, if Go's syntax check misses it", () => {
		for (const pattern of ["a*[", "[b-a]", "*\\y", "*\\pX", "a*{2}", "a|{2}*", "[[:x:]]"]) {
			const rules = IgnoreRules.parse(`x\n!${pattern}\n`, "f", "linux");
			assert.equal(rules.match("y", rules.root()).ignored, false);
			assert.throws(() => rules.match("x", rules.root()), {
				name: "ContextError",
				message: `f:2: syntax error in the pattern !${pattern}`,
			});
		}
	});
});

describe("whatever the rules are", () => {
	const name = fc.stringMatching(/^[ab.]{1,2}$/).filter((text) => !/^\.+$/.test(text));
	const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join("/"));
	const segment = fc.oneof(name, fc.constantFrom("*", "?", "**", "a*", "*.b", "**b", "*a*"));
	const pattern = fc.array(segment, { minLength: 1, maxLength: 3 }).map((all) => all.join("/"));
	const rule = fc.tuple(fc.boolean(), pattern);

	it("a path is judged as the definition says", () => {
		fc.assert(
			fc.property(fc.array(rule, { maxLength: 5 }), path, (rules, path) => {
				const content = rules.map(([negated, text]) => (negated ? `!${text}` : text)).join("\n");
				assert.equal(
					stateOf(IgnoreRules.parse(content, "f", "linux"), path).ignored,
					byDefinition(rules, path),
				);
			}),
			{ numRuns: 1000 },
		);
	});

	// Negations that end in a wildcard are left out: BuildKit passes over some that would match.
	it("nothing is sent from a directory that need not be entered", () => {
		fc.assert(
			fc.property(fc.array(rule, { maxLength: 5 }), path, name, (rules, path, below) => {
				const complete = rules.filter(([negated, text]) => !(negated && text.endsWith("*")));
				const content = complete.map(([negated, text]) => (negated ? `!${text}` : text)).join("\n");
				const parsed = IgnoreRules.parse(content, "f", "linux");
				const state = stateOf(parsed, path);
				if (!state.ignored || parsed.mayReincludeBelow(path, state)) return;
				assert.equal(parsed.match(`${path}/${below}`, state).ignored, true);
			}),
			{ numRuns: 1000 },
		);
	});

	it("they are read, or refused with a ContextError", () => {
		fc.assert(
			fc.property(
				fc.uint8Array({ maxLength: 60 }),
				fc.string({ unit: anyCharacter }),
				(bytes, path) => {
					try {
						const rules = IgnoreRules.parse(bytes, "f", "linux");
						rules.match(path, rules.root());
					} catch (error) {
						assert.ok(error instanceof ContextError);
					}
				},
			),
		);
	});
});

/** Those of the paths that are ignored; each is judged after its parents. */
function ignored(content: string, ...paths: string[]): string[] {
	const rules = IgnoreRules.parse(content, ".dockerignore", "linux");
	return paths.filter((path) => stateOf(rules, path).ignored);
}

function stateOf(rules: IgnoreRules, path: string): MatchState {
	const names = path.split("/");
	let state = rules.root();
	for (let depth = 1; depth <= names.length; depth++) {
		state = rules.match(names.slice(0, depth).join("/"), state);
	}
	return state;
}

function enters(content: string, directory: string): boolean {
	const rules = IgnoreRules.parse(content, "f", "linux");
	return rules.mayReincludeBelow(directory, stateOf(rules, directory));
}

it("a path is left out by itself or with a parent, unless a later rule sends it", () => {
	const rules = IgnoreRules.parse("docker\n!docker/kept\n*.md\n", ".dockerignore", "linux");
	const paths = ["docker", "docker/Dockerfile", "docker/kept", "docker/kept/x", "a.md", "d/a.md"];
	assert.deepEqual(
		paths.map((path) => rules.ignores(path)),
		[true, true, false, false, true, false],
	);
});

/** The semantics as one would tell them: without states, look-ups and automata. */
function byDefinition(rules: readonly (readonly [boolean, string])[], path: string): boolean {
	const names = path.split("/");
	const fits = new Set<number>();
	let ignored = false;
	for (let depth = 1; depth <= names.length; depth++) {
		ignored = false;
		for (const [index, [negated, pattern]] of rules.entries()) {
			const candidate = names.slice(0, depth).join("/");
			if (ignored === negated && naive(pattern).test(candidate)) fits.add(index);
			if (fits.has(index)) ignored = !negated;
		}
	}
	return ignored;
}

/** For patterns of names, "*", "?" and "**" only, and short paths: this one backtracks. */
function naive(pattern: string): RegExp {
	const source = pattern
		.replaceAll(".", "\\.")
		.replace(/^\*\*(?!\/|$)(?=[^*?]*$)/, "<any>")
		.replace(/\*\*\/?$/, "<any>")
		.replace(/\*\*\/?/g, "<directories>")
		.replaceAll("*", "[^/]*")
		.replaceAll("?", "[^/]")
		.replaceAll("<any>", ".*")
		.replaceAll("<directories>", "(?:.*/)?");
	return new RegExp(`^${source}$`, "s");
}
