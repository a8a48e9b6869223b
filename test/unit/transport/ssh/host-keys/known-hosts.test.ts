import assert from "node:assert/strict";
import { suite, test } from "node:test";
import {
	keyTypeOf,
	knownHostLine,
	knownHostName,
	knownKeysIn,
} from "../../../../../src/transport/ssh/host-keys/known-hosts.js";

function publicKey(type: string, seed: number): Buffer {
	const length = Buffer.alloc(4);
	length.writeUInt32BE(type.length);
	return Buffer.concat([length, Buffer.from(type), Buffer.alloc(36, seed)]);
}

const ED = publicKey("ssh-ed25519", 1);
const RSA = publicKey("ssh-rsa", 2);
const ed = `ssh-ed25519 ${ED.toString("base64")}`;
const rsa = `ssh-rsa ${RSA.toString("base64")}`;
const lines = (text: string, name: string) =>
	knownKeysIn(text, "kh", name).keys.map(({ line }) => line);

suite("known_hosts", () => {
	test("gives marker, type, key, file and line of what matches", () => {
		assert.deepEqual(
			knownKeysIn(`# a comment\n\n@revoked box ${ed} ann@here\n`, "kh", "box").keys,
			[{ marker: "revoked", keyType: "ssh-ed25519", key: ED, file: "kh", line: 3 }],
		);
	});

	test("finds every key of a host", () => {
		assert.deepEqual(lines(`box ${ed}\nother ${ed}\nbox ${rsa}\n`, "box"), [1, 3]);
	});

	test("matches any name of a list, wildcards, and no case", () => {
		assert.deepEqual(lines(`box,10.0.0.7 ${ed}`, "10.0.0.7"), [1]);
		assert.deepEqual(lines(`*.lab,b?x ${ed}`, "a.b.lab"), [1]);
		assert.deepEqual(lines(`*.lab,b?x ${ed}`, "bax"), [1]);
		assert.deepEqual(lines(`Box ${ed}`, "box"), [1]);
		assert.deepEqual(lines(`boxes ${ed}`, "box"), []);
	});

	test("lets a negated pattern outweigh the others", () => {
		assert.deepEqual(lines(`*.lab,!bad.lab ${ed}`, "bad.lab"), []);
		assert.deepEqual(lines(`!bad.lab,*.lab ${ed}`, "good.lab"), [1]);
	});

	test("keeps hosts with a port apart from those without", () => {
		const text = `box ${ed}\n[box]:2222 ${rsa}\n`;
		assert.deepEqual(lines(text, knownHostName("Box", 22)), [1]);
		assert.deepEqual(lines(text, knownHostName("Box", 2222)), [2]);
	});

	test("reads a name that ssh-keygen -H has hashed", () => {
		// Written by ssh-keygen -H of OpenSSH 9.2 for the host "box".
		const hashed =
			"|1|YpApE8w94oOVd452jf0u/g5mjvE=|0dDX1oNyaXCcWor8kd+U6WxdI24= ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMvPCZheaIxzQPSAinytEwLBtN71I+033yCQFEDFnIOd";
		assert.deepEqual(lines(hashed, "box"), [1]);
		assert.deepEqual(lines(hashed, "boy"), []);
	});

	test("writes a hashed name that it finds again", () => {
		const hashed = knownHostLine("[box]:2222", ED, true);
		assert.doesNotMatch(hashed, /\[box/);
		assert.deepEqual(lines(hashed, "[box]:2222"), [1]);
	});

	test("tells of lines that name the host and are not whole or not true", () => {
		const text = `box\nbox ssh-ed25519\n@what box ${ed}\nother x\nbox ssh-rsa ${ED.toString("base64")}\nbox ${ed}\n`;
		const { keys, problems } = knownKeysIn(text, "kh", "box");
		assert.equal(keys.length, 1);
		const lines = [1, 2, 3, 5];
		assert.deepEqual(
			problems,
			lines.map((line) => `kh:${line} is malformed`),
		);
	});

	test("passes over lines that are not whole or not true", () => {
		assert.deepEqual(lines(`box\nbox ssh-ed25519\n@what box ${ed}\nbox ${ed}`, "box"), [4]);
		assert.deepEqual(lines(`box ssh-rsa ${ED.toString("base64")}`, "box"), []);
	});

	test("writes a line that it reads back", () => {
		const line = knownHostLine("box", ED, false);
		assert.equal(line, `box ${ed}`);
		assert.equal(keyTypeOf(ED), "ssh-ed25519");
		assert.equal(keyTypeOf(Buffer.from("x")), "");
	});
});
