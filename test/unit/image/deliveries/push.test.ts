import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { RegistryAuth } from "../../../../src/engine/registry-auth.js";
import { EngineError } from "../../../../src/errors.js";
import { pushDelivery } from "../../../../src/image/deliveries/push.js";
import { type FakeRequest, fakeEngine, jsonLines, run } from "../fake-engine.js";

const DIGEST = `sha256:${"d".repeat(64)}`;
const AUTH: RegistryAuth = { username: "me", password: "s3cret", serveraddress: "ghcr.io" };
const DONE = { aux: { Tag: "1", Digest: DIGEST, Size: 500 } };
const image = { id: `sha256:${"a".repeat(64)}`, tags: ["ghcr.io/me/app:1"] };
const credentials = (auth?: RegistryAuth) => ({ credentialsFor: async () => auth });

describe("pushing an image", () => {
	/** A daemon of which this is known by the tag, and by the image's id after the push. */
	const daemon = (
		answer: (request: FakeRequest) => unknown,
		{ tagged = image.id, digests = [`ghcr.io/me/app@${DIGEST}`] } = {},
	) =>
		fakeEngine((request) => {
			if (request.path === "/images/ghcr.io/me/app:1/json") return { Id: tagged };
			if (request.path === `/images/${image.id}/json`)
				return { Id: image.id, RepoDigests: digests };
			return answer(request);
		});
	const push = (lines: unknown[], auth?: RegistryAuth, news = run()) =>
		pushDelivery("ghcr.io/me/app:1", credentials(auth)).deliver(
			daemon(() => jsonLines(...lines)),
			image,
			news,
		);

	it("asks for the credentials of that registry, and sends them with the push only", async () => {
		const asked: string[] = [];
		const requests: FakeRequest[] = [];
		const source = {
			async credentialsFor(registry: string) {
				asked.push(registry);
				return AUTH;
			},
		};
		const engine = daemon((request) => {
			requests.push(request);
			return jsonLines(DONE);
		});
		await pushDelivery("ghcr.io/me/app:1", source).deliver(engine, image, run());
		assert.deepEqual(asked, ["ghcr.io"]);
		assert.deepEqual(
			requests.map(({ method, path, query }) => [method, path, query?.tag]),
			[["POST", "/images/ghcr.io/me/app/push", "1"]],
		);
		const header = String(requests[0]?.headers?.["X-Registry-Auth"]);
		assert.equal(header.length % 4, 0);
		assert.deepEqual(JSON.parse(Buffer.from(header, "base64url").toString()), AUTH);
	});

	it("reports the digest that the daemon tells, in a message of its own or in words", async () => {
		assert.equal((await push([DONE])).digest, DIGEST);
		const words = { status: `1: digest: ${DIGEST} size: 527` };
		assert.equal((await push([words])).digest, DIGEST);
	});

	it("adds the layers up", async () => {
		const news = run();
		const layer = (id: string, current: number, total: number) => ({
			...{ id, status: "Pushing", progressDetail: { current, total } },
		});
		await push([layer("a", 10, 100), layer("b", 5, 50), layer("a", 90, 100), DONE], AUTH, news);
		assert.deepEqual(
			news.events.flatMap((event) =>
				event.type === "deliver" && event.status === "progress"
					? [[event.bytes, event.totalBytes, event.detail]]
					: [],
			),
			[
				[10, 100, "a: Pushing"],
				[15, 150, "b: Pushing"],
				[95, 150, "a: Pushing"],
			],
		);
	});

	for (const [reason, auth, hint] of [
		["denied: requested access to the resource is denied", undefined, /run "docker login ghcr.io"/],
		["unauthorized: authentication required", AUTH, /does not accept the login/],
		["http: server gave HTTP response to HTTPS client", AUTH, /insecure-registries/],
		["x509: certificate signed by unknown authority", AUTH, /certs\.d\/ghcr\.io/],
		[
			"dial tcp: lookup ghcr.io: no such host",
			AUTH,
			/from its machine; from this one it is made with --via client/,
		],
		[
			'Get "https://ghcr.io/v2/": dial tcp 10.0.0.1:443: connect: connection refused',
			AUTH,
			/must be reachable from its machine/,
		],
		[
			'Get "https://ghcr.io/v2/": context deadline exceeded (Client.Timeout exceeded while awaiting headers)',
			AUTH,
			/must be reachable from its machine/,
		],
		["toomanyrequests: slow down", AUTH, /^wait a while, and run rbuild again/],
		["received unexpected HTTP status: 503 Service Unavailable", AUTH, /^look at the log of that/],
		[
			"failed commit: unexpected status from PUT request to https://ghcr.io/v2/x: 504 Gateway Timeout",
			AUTH,
			/^look at the log of that registry$/,
		],
		[
			"error parsing HTTP 413 response body: invalid character '<' looking for beginning of value",
			AUTH,
			/client_max_body_size/,
		],
		["error parsing HTTP 405 response body: unexpected end of JSON input", AUTH, undefined],
		['Get "/v2/again": stopped after 10 redirects', AUTH, undefined],
		["unknown: we do not like it", AUTH, undefined],
	] as const) {
		it(`names the tag, the registry and the reason: ${reason}`, async () => {
			const pushed = push([{ errorDetail: { message: reason }, error: reason }, DONE], auth);
			await assert.rejects(pushed, {
				name: "DeliveryError",
				message: `cannot push ghcr.io/me/app:1 to ghcr.io: ${reason}`,
				hint,
			});
		});
	}

	it("has failed when the daemon refuses at once, or stops without a digest", async () => {
		const engine = daemon(() => {
			throw new EngineError("the box refused: no such\nimage", { status: 404 });
		});
		const delivery = pushDelivery("ghcr.io/me/app:1", credentials());
		await assert.rejects(delivery.deliver(engine, image, run()), {
			name: "DeliveryError",
			message: "cannot push ghcr.io/me/app:1 to ghcr.io: the box refused: no such image",
		});
		await assert.rejects(push([{ id: "a", status: "Pushed" }]), {
			name: "DeliveryError",
			message: /the daemon stopped before it told the digest/,
		});
	});

	describe("whose tag was moved since it was built", () => {
		const OTHER = `sha256:${"b".repeat(64)}`;
		const moved = (moves: Parameters<typeof daemon>[1], answer = () => jsonLines(DONE)) =>
			pushDelivery("ghcr.io/me/app:1", credentials()).deliver(daemon(answer, moves), image, run());

		it("is not begun, and the other image is named", async () => {
			const neverPushed = () => assert.fail("the other image was pushed");
			await assert.rejects(moved({ tagged: OTHER }, neverPushed), {
				name: "DeliveryError",
				message: `ghcr.io/me/app:1 is not pushed: on the box it stands for ${OTHER} by now`,
			});
		});

		it("is not begun where the tag is gone", async () => {
			const engine = fakeEngine(() => {
				throw new EngineError("no such image", { status: 404 });
			});
			const pushed = pushDelivery("ghcr.io/me/app:1", credentials()).deliver(engine, image, run());
			await assert.rejects(pushed, {
				name: "DeliveryError",
				message: "ghcr.io/me/app:1 is not pushed: on the box it is not there any more",
			});
		});

		it("has failed when that happened while it was pushed", async () => {
			await assert.rejects(moved({ digests: [`ghcr.io/me/app@${OTHER}`] }), {
				name: "DeliveryError",
				message: `another image than ${image.id} was pushed as ghcr.io/me/app:1, namely ${DIGEST}: the tag was moved meanwhile`,
			});
		});

		it("has not failed where the daemon calls images by the digests that it pushes", async () => {
			const byDigest = { ...image, id: DIGEST };
			const engine = fakeEngine(({ path }) =>
				path === "/images/ghcr.io/me/app:1/json" ? { Id: DIGEST } : jsonLines(DONE),
			);
			const delivery = pushDelivery("ghcr.io/me/app:1", credentials());
			assert.equal((await delivery.deliver(engine, byDigest, run())).digest, DIGEST);
		});
	});
});
