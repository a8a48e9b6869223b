import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, suite, test } from "node:test";
import { chooseBox, chooseBoxes } from "../../../../src/build/box/choose-box.js";
import { OpenedBox } from "../../../../src/build/box/opened-box.js";
import { Closing } from "../../../../src/closing.js";
import type { Environment } from "../../../../src/environment.js";
import { ConnectionError } from "../../../../src/errors.js";
import { writeContext } from "../../../../src/target/context-changes.js";
import { formatTarget } from "../../../../src/target/parse-target.js";
import {
	answers,
	type FakeDaemon,
	neverAnswers,
	startFakeDaemon,
} from "../../../support/fake-daemon.js";

suite("of several boxes", { skip: process.platform === "win32" }, () => {
	let home: string;
	let daemons: FakeDaemon[];
	const run = { emit: () => {}, signal: new AbortController().signal };

	beforeEach(() => {
		home = mkdtempSync(join(tmpdir(), "rbuild-boxes-"));
		daemons = [];
	});
	afterEach(async () => {
		for (const daemon of daemons) await daemon.stop();
		rmSync(home, { recursive: true });
	});

	function environment(variables: Record<string, string> = {}): Environment {
		return {
			...{ variables, homeDirectory: home, userName: "ann" },
			...{ platform: process.platform, workingDirectory: "/" },
		};
	}

	/** Its address; of no architecture is one that does not answer. */
	async function box(architecture?: string): Promise<string> {
		const version = {
			...{ Version: "28.5.2", Os: "linux", Arch: architecture, ApiVersion: "1.51" },
			Components: [{ Name: "Engine" }],
		};
		const route = architecture === undefined ? neverAnswers : answers(version);
		const daemon = await startFakeDaemon({ routes: { "GET /version": route } });
		daemons.push(daemon);
		return daemon.url;
	}

	async function choose(
		on: readonly string[] | undefined,
		platform?: string,
		{
			variables = {},
			allowEmulation = false,
			closing,
		}: {
			readonly variables?: Record<string, string>;
			readonly allowEmulation?: boolean;
			readonly closing?: Closing;
		} = {},
	) {
		const options = { context: ".", ...(on === undefined ? {} : { on }) };
		const wish = { platform, allowEmulation };
		const box = await chooseBox(options, wish, environment(variables), run, closing);
		return { ...box, place: formatTarget(box.chosen.target), why: box.chosen.chosenBy };
	}

	const asked = () => daemons.map(({ requests }) => requests.length > 0);

	test("one is not asked beforehand", async () => {
		const amd64 = await box("amd64");
		assert.equal((await choose([amd64], "linux/arm64")).place, amd64);
		assert.deepEqual(asked(), [false]);
	});

	test("the one is taken that runs the platform natively", async () => {
		const [amd64, arm64] = [await box("amd64"), await box("aarch64")];
		const chosen = await choose([amd64, arm64], "linux/arm64");
		assert.equal(chosen.place, arm64);
		assert.equal(chosen.why, "--on: linux/arm64, the first of 2 to answer");
		assert.equal((await choose([amd64, arm64], "linux/386")).place, amd64);
	});

	test("those that do not answer are not waited for", async () => {
		const [silent, amd64] = [await box(), await box("amd64")];
		assert.equal((await choose([silent, amd64], "linux/amd64")).place, amd64);
		assert.equal((await choose([silent, amd64])).place, amd64);
	});

	test("the connection to the one that is taken is kept where somebody closes it, and no other", async () => {
		const [amd64, arm64] = [await box("amd64"), await box("arm64")];
		assert.equal((await choose([amd64, arm64], "linux/arm64")).opened, undefined);
		rmSync(join(home, ".cache"), { recursive: true });
		const closing = new Closing();
		const { opened } = await choose([amd64, arm64], "linux/arm64", { closing });
		const connection = opened?.take();
		assert.equal(connection?.engine.facts.platform, "linux/arm64");
		assert.equal(opened?.take(), undefined);
		const asked = await connection?.engine.json({
			...{ method: "GET", path: "/version", signal: run.signal },
		});
		assert.equal((asked as { Arch?: string }).Arch, "arm64");
		assert.ok(connection);
		await using _again = new OpenedBox(connection);
	});

	test("RBUILD_ON may name them", async () => {
		const [amd64, arm64] = [await box("amd64"), await box("arm64")];
		const variables = { RBUILD_ON: `${amd64}, ${arm64}` };
		assert.equal((await choose(undefined, "linux/arm64", { variables })).place, arm64);
	});

	test("none is taken where none fits, and each says what it is", async () => {
		const [amd64, arm64] = [await box("amd64"), await box("arm64")];
		await assert.rejects(
			choose([amd64, arm64, "unix:///none", "tcp://a:b"], "linux/riscv64"),
			(error) => {
				assert.ok(error instanceof ConnectionError);
				assert.equal(error.exitCode, 4);
				assert.equal(error.failure, "no-native-box");
				assert.ok(error.message.startsWith("no box runs linux/riscv64 natively: "));
				assert.ok(error.message.includes(`${amd64} is linux/amd64`));
				assert.ok(error.message.includes(`${arm64} is linux/arm64`));
				assert.match(
					error.message,
					/unix:\/\/\/none: cannot reach unix:\/\/\/none: no such socket/,
				);
				assert.match(error.message, /tcp:\/\/a:b: --on: target "tcp:\/\/a:b": the port must be/);
				return true;
			},
		);
		const allowEmulation = true;
		const chosen = await choose([amd64, arm64], "linux/riscv64", { allowEmulation });
		assert.ok([amd64, arm64].includes(chosen.place));
	});

	test("all that are silent are named", async () => {
		await assert.rejects(choose(["unix:///none", "unix:///nowhere"]), {
			message: /^no box answers: unix:\/\/\/none: .*; unix:\/\/\/nowhere: /,
		});
	});

	async function chooseAll(
		on: readonly string[],
		platforms: readonly string[],
		allowEmulation = false,
	) {
		const wish = { platforms, allowEmulation };
		const boxes = await chooseBoxes({ on }, wish, environment(), run);
		return boxes.map(({ chosen }) => formatTarget(chosen.target));
	}

	test("each of several platforms gets its own, and a box may have several", async () => {
		const [amd64, arm64] = [await box("amd64"), await box("arm64")];
		const platforms = ["linux/arm64", "linux/386", "linux/amd64"];
		assert.deepEqual(await chooseAll([amd64, arm64], platforms), [arm64, amd64, amd64]);
		assert.deepEqual(await chooseAll([amd64, arm64], ["linux/386", "linux/arm64"]), [amd64, arm64]);
		assert.deepEqual(await chooseAll([amd64], platforms), [amd64, amd64, amd64]);
	});

	test("one that has nothing to do emulates what none of them runs", async () => {
		const [one, other] = [await box("amd64"), await box("amd64")];
		const platforms = ["linux/amd64", "linux/arm64"];
		const chosen = await chooseAll([one, other], platforms, true);
		assert.deepEqual(chosen.toSorted(), [one, other].toSorted());
		// By then, the first is remembered.
		const again = await chooseAll([one, other], platforms, true);
		assert.deepEqual(again.toSorted(), [one, other].toSorted());
		await assert.rejects(chooseAll([one, other], platforms), {
			message: /^no box runs linux\/arm64 natively: /,
		});
	});

	suite("what they answered a short time ago", () => {
		test("need not be asked again", async () => {
			const [amd64, arm64] = [await box("amd64"), await box("arm64")];
			await choose([amd64, arm64], "linux/arm64");
			const before = daemons.map(({ requests }) => requests.length);
			const chosen = await choose([amd64, arm64], "linux/arm64");
			assert.equal(chosen.place, arm64);
			assert.equal(chosen.why, "--on: linux/arm64, lately the fastest of 2");
			assert.deepEqual(
				daemons.map(({ requests }) => requests.length),
				before,
			);
		});

		test("is asked again where it cannot be reached any more", async () => {
			const [one, other] = [await box("amd64"), await box("arm64")];
			await choose([one, other], "linux/amd64");
			const { place, another } = await choose([one, other], "linux/amd64");
			assert.equal(place, one);
			await daemons[0]?.stop();
			daemons.shift();
			const third = await box("amd64");
			const again = await choose([one, other, third], "linux/amd64");
			const chosen = await again.another?.();
			assert.ok(chosen && another);
			assert.equal(formatTarget(chosen.chosen.target), third);
			assert.equal((await choose([one, other, third], "linux/amd64")).place, third);
		});

		test("is not trusted where the file is broken", async () => {
			const amd64 = await box("amd64");
			await choose([amd64, "unix:///none"]);
			for (const text of ["{", "[1]", '{"a":null}', '{"a":{"platform":1}}']) {
				writeFileSync(join(home, ".cache/rbuild/boxes.json"), text);
				const { why } = await choose([amd64, "unix:///none"]);
				assert.match(why, /the first of 2 to answer$/);
			}
		});
	});

	suite("auto", () => {
		async function addContext(name: string, host: string) {
			const content = { name, host, description: "", skipTlsVerify: false, tls: {} };
			await writeContext(content, environment());
		}

		test("asks all docker contexts, RBUILD_ON and the local daemon", async () => {
			await addContext("one", await box("amd64"));
			const [named, local] = [await box("arm64"), await box("riscv64")];
			const variables = { RBUILD_ON: named, DOCKER_HOST: local };
			await assert.rejects(choose(["auto"], "linux/s390x", { variables }), /natively/);
			assert.deepEqual(asked(), [true, true, true]);
			const { place, why } = await choose(["auto"], "linux/amd64", { variables });
			assert.equal(place, daemons[0]?.url);
			assert.match(why, /^docker context "one", by auto: linux\/amd64/);
		});

		test("asks a box once that has several names", async () => {
			const amd64 = await box("amd64");
			await addContext("one", amd64);
			await addContext("two", amd64);
			await choose(["auto", amd64], undefined, { variables: { DOCKER_HOST: amd64 } });
			assert.equal(daemons[0]?.requests.filter((line) => line === "GET /version").length, 1);
		});
	});
});
