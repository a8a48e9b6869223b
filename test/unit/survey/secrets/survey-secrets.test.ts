import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { SourceTree } from "../../../../src/context/tree/source-tree.js";
import { InterruptedError } from "../../../../src/errors.js";
import type { SecretFinding } from "../../../../src/survey/context-document.js";
import { surveySecrets } from "../../../../src/survey/secrets/survey-secrets.js";
import { ignoreFileOf, project, sent } from "../advice/projects.js";
import { CREDENTIALS, HARMLESS, pem, VALUE } from "./samples.js";

const signal = new AbortController().signal;

function survey(
	test: TestContext,
	files: Readonly<Record<string, string | Buffer>>,
): Promise<SecretFinding[]> {
	const root = project(test, files);
	const tree = new SourceTree(root, "linux");
	const { entries } = sent(root);
	return surveySecrets({ tree, entries, ignore: ignoreFileOf(root) }, signal);
}

/** Letters and digits that look as if by chance, but are always the same. */
function chance(
	length: number,
	alphabet = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ0123456789",
): string {
	return Array.from(
		{ length },
		(_, at) => alphabet[(at * at * 7 + at * 13 + 5) % alphabet.length],
	).join("");
}

/** As 1Password makes them: JSON in base64, ending with a brace of its own. */
function serviceAccount(): string {
	const account = {
		email: "a@b",
		muk: {},
		secretKey: chance(80),
		srpX: "",
		signInAddress: "c",
		userAuth: {},
	};
	const text = JSON.stringify(account);
	const blanks = " ".repeat((4 - (text.length % 3)) % 3);
	return Buffer.from(text.replace(/}$/, `${blanks}}`)).toString("base64");
}

/** By what they are, one of each kind of token that the rules know. */
const TOKENS: Readonly<Record<string, string>> = {
	"an AWS key": `aws_secret_access_key = "${chance(40)}"`,
	"a private key": pem("RSA "),
	"an npm token": `npm_${chance(36)}`,
	"a key of slack": ["xoxb", "1".repeat(12), "2".repeat(12), chance(24)].join("-"),
	"a key of sendgrid": ["SG", chance(22), chance(43)].join("."),
	"a key of shopify": `shpat_${chance(32, "0123456789abcdef")}`,
	"a GitHub token": `ghp_${chance(36)}`,
	"a GitLab token": `glpat-${chance(20)}`,
	"a key of grafana": `glc_${chance(40)}`,
	"an OpenAI key": `sk-${chance(20)}T3BlbkFJ${chance(20)}`,
	"a key of anthropic": `sk-ant-api03-${chance(93)}AA`,
	"a key of groq": `gsk_${chance(52)}`,
	"a key of huggingface": `hf_${chance(34, "abcdefghijklmnopqrstuvwxyzABCDEFGH")}`,
	"a key of linear": `lin_api_${chance(40)}`,
	"a key of notion": `ntn_${chance(11, "0123456789")}${chance(35)}`,
	"a 1Password token": `ops_${serviceAccount()}`,
	"a Vault token": `hvs.${chance(95)}`,
	"a key of vercel": `vcp_${chance(24)}`,
	"a key of databricks": `dapi${chance(32, "0123456789abcdef")}`,
	"a token of Docker Hub": `dckr_pat_${chance(27)}`,
	"a key of figma": `figd_${chance(40)}`,
};

describe("the credentials in a context", () => {
	for (const [what, token] of Object.entries(TOKENS)) {
		it(`are found in any small text: ${what}`, async (test) => {
			const files = { "src/settings.py": `# settings\nVALUE = '''${token}'''\n` };
			assert.deepEqual(await survey(test, files), [{ path: "src/settings.py", what, line: 2 }]);
		});
	}

	it("are those of a build, and of the texts beside them, in the order of paths", async (test) => {
		const files = {
			"z.conf": TOKENS["a GitHub token"] ?? "",
			".env": `API_TOKEN=${VALUE}\n`,
			"m.yml": TOKENS["an npm token"] ?? "",
		};
		const paths = (await survey(test, files)).map(({ path }) => path);
		assert.deepEqual(paths, [".env", "m.yml", "z.conf"]);
	});

	it("are all found once", async (test) => {
		const files = Object.entries(CREDENTIALS).map(([path, [content]]) => [path, content] as const);
		const findings = await survey(test, Object.fromEntries(files));
		assert.deepEqual(findings.map(({ path }) => path).sort(), files.map(([path]) => path).sort());
		assert.ok(!JSON.stringify(findings).includes(VALUE.slice(0, 5)));
	});

	it("are not examples, nor in tests, packages and binaries", async (test) => {
		const token = TOKENS["a GitHub token"] ?? "";
		assert.deepEqual(
			await survey(test, {
				...HARMLESS,
				"README.md": `AKIA${"IOSFODNN7"}EXAMPLE and wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY`,
				"url.md": "https://user:pass@example.com/ and postgres://app:secret12@db/app",
				"src/a.test.ts": token,
				"src/a_test.go": token,
				"tests/a.py": token,
				"node_modules/a/index.js": token,
				"binary.bin": Buffer.concat([Buffer.from([0]), Buffer.from(token)]),
				"bundle.min.js": token,
				"large.txt": Buffer.concat([Buffer.alloc(300_000, "x "), Buffer.from(token)]),
			}),
			[],
		);
	});

	it("are only those that would be sent, and are not allowed", async (test) => {
		const token = TOKENS["a GitHub token"] ?? "";
		const ignoreFile = "left-out\n.env\n# rbuild:allow-secret allowed/**\n";
		const files = {
			".dockerignore": ignoreFile,
			".env": `API_TOKEN=${VALUE}\n`,
			"left-out/a": token,
			"allowed/a": token,
			"allowed/x.key": pem(""),
		};
		assert.deepEqual(await survey(test, files), []);
	});

	it("are not looked for after an interruption", async (test) => {
		const root = project(test, { a: "x" });
		const reason = new InterruptedError("interrupted");
		const request = { tree: new SourceTree(root, "linux"), entries: sent(root).entries };
		await assert.rejects(surveySecrets(request, AbortSignal.abort(reason)), reason);
	});
});
