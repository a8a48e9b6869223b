import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { baseImageAuths } from "../../../../src/build/session/registry-logins.js";
import type { CredentialSource } from "../../../../src/image/credentials/registry-credentials.js";

const login = { username: "me", password: "pw" };
const source: CredentialSource = { credentialsFor: async () => login };

async function registries(dockerfile: string, target?: string): Promise<readonly string[]> {
	return Object.keys(await baseImageAuths(Buffer.from(dockerfile), { target }, source));
}

suite("the credentials that the classic builder gets", () => {
	test("are those of the registries that images come from, however these are named", async () => {
		const dockerfile = "ARG R=reg.example.com\nARG B=$R/x:1\nFROM $B\nCOPY --from=b.example/y / /";
		assert.deepEqual(await registries(dockerfile), ["reg.example.com", "b.example"]);
		assert.deepEqual(await registries("FROM a.example/x AS a\nFROM b.example/x", "a"), [
			"a.example",
		]);
	});

	test("are none for what is no image", async () => {
		assert.deepEqual(await registries("FROM scratch\nRUN echo from=zzz"), []);
		assert.deepEqual(await registries("FROM /x"), []);
		assert.deepEqual(await baseImageAuths(undefined, {}, source), {});
	});
});
