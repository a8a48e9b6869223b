/** Takes 50 ms to load, so import it when it is needed: `await import("./secret-rules.js")`. */
import { lintSource } from "@secretlint/core";
import { creator } from "@secretlint/secretlint-rule-preset-recommend";
import type { GivenAway } from "./known-files.js";

/**
 * What stands in for an URL with a password in documentation and in set-ups for development is too often
 * taken for one by these.
 */
const LEFT_OUT = ["basicauth", "database-connection-string"];

const CONFIG = {
	rules: [
		{
			id: "@secretlint/secretlint-rule-preset-recommend",
			rule: creator,
			rules: LEFT_OUT.map((name) => ({
				id: `@secretlint/secretlint-rule-${name}`,
				disabled: true,
			})),
		},
	],
};

const WORDS: Readonly<Record<string, string>> = {
	aws: "an AWS key",
	gcp: "a key of Google Cloud",
	privatekey: "a private key",
	npm: "an npm token",
	github: "a GitHub token",
	gitlab: "a GitLab token",
	openai: "an OpenAI key",
	"1password": "a 1Password token",
	"hashicorp-vault": "a Vault token",
	docker: "a token of Docker Hub",
};

/** Looks for credentials in a text by secretlint's recommended rules; tells of the first. */
export async function judgeText(text: string): Promise<GivenAway | undefined> {
	const source = { filePath: "text", content: text, ext: "", contentType: "text" } as const;
	// Its messages quote what was found: nothing of them goes any further.
	const { messages } = await lintSource({
		source,
		options: { config: CONFIG, noPhysicFilePath: true, maskSecrets: true },
	});
	const [first] = messages
		.filter(({ type, messageId }) => type === "message" && messageId !== "AWSAccountID")
		.sort((one, other) => one.range[0] - other.range[0]);
	if (first === undefined) return undefined;
	const rule = first.ruleId.replace(/^.*secretlint-rule-/, "");
	return { what: WORDS[rule] ?? `a key of ${rule}`, line: first.loc.start.line };
}
