import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { explainImageFailure } from "../../../../src/build/output/image-failure.js";

const HUB = "[internal] load metadata for docker.io/library/busybox:nosuch";
const PRIVATE = "[internal] load metadata for reg.example:5000/me/x:1";

const DOCKERFILE = {
	displayName: "Dockerfile",
	content: Buffer.from("# syntax=docker/dockerfile:99\nFROM app\n"),
};

const DENIED = "pull access denied, repository does not exist or may require authorization";
const ASKED = 'failed to do request: Head "https://reg.example:5000/v2/me/x/manifests/1": ';

/**
 * The texts are those of containerd's core/remotes/docker/resolver.go, authorizer.go and core/remotes/errors (commit
 * 301026e) as BuildKit passes them on, of moby's daemon/internal/distribution/errors.go and pull_v2.go (b985e23) for
 * the classic builder, and of Go's net and crypto/x509; those about lookups and refused connections were seen from 28.5.
 */
const CASES: readonly (readonly [step: string, error: string, reason: RegExp, hint: RegExp])[] = [
	[
		HUB,
		'failed to do request: Head "https://registry-1.docker.io/v2/library/busybox/manifests/nosuch": dial tcp: lookup registry-1.docker.io on 10.255.255.53:53: dial udp 10.255.255.53:53: connect: network is unreachable',
		/^image busybox:nosuch: the box cannot resolve registry-1\.docker\.io now \(network is unreachable\)$/,
		/check its name and tag; if not, the box needs DNS and a way to registry-1/,
	],
	[
		"[context busybox:local] load metadata for nosuch.invalid/x:1",
		'failed to do request: Head "https://nosuch.invalid/v2/x/manifests/1": dial tcp: lookup nosuch.invalid on 127.0.0.53:53: no such host',
		/^image nosuch\.invalid\/x:1: the box cannot resolve nosuch\.invalid$/,
		/spelling of the registry's name/,
	],
	[
		HUB,
		'failed to authorize: failed to fetch anonymous token: Get "https://auth.docker.io/token": dial tcp: lookup auth.docker.io: Temporary failure in name resolution',
		/: the box cannot resolve auth\.docker\.io now \(Temporary failure in name resolution\)$/,
		/a way to auth\.docker\.io/,
	],
	[
		"[internal] load metadata for localhost:1/x:latest",
		'failed to do request: Head "https://localhost:1/v2/x/manifests/latest": dial tcp [::1]:1: connect: connection refused',
		/^image localhost:1\/x:latest: localhost:1 refuses connections from the box$/,
		/^that is the box itself, not this machine/,
	],
	[
		"[internal] load metadata for localhost.example:1/x:latest",
		'failed to do request: Head "https://localhost.example:1/v2/x/manifests/latest": dial tcp 10.0.0.9:1: connect: connection refused',
		/: localhost\.example:1 refuses connections from the box$/,
		/is its port right/,
	],
	[
		PRIVATE,
		`${ASKED}dial tcp 10.0.0.9:5000: connect: connection refused`,
		/: reg\.example:5000 refuses connections from the box$/,
		/is its port right/,
	],
	[
		PRIVATE,
		`${ASKED}dial tcp 10.0.0.9:5000: i/o timeout`,
		/: the box cannot reach reg\.example:5000 \(i\/o timeout\)$/,
		/firewall/,
	],
	[
		PRIVATE,
		`${ASKED}proxyconnect tcp: dial tcp 10.0.0.1:3128: connect: connection refused`,
		/: the box cannot reach its proxy \(connection refused\)$/,
		/proxy/,
	],
	[
		PRIVATE,
		`${ASKED}tls: failed to verify certificate: x509: certificate signed by unknown authority`,
		/does not accept the certificate of reg\.example:5000 \(certificate signed by unknown authority\)$/,
		/\/etc\/docker\/certs\.d\/reg\.example:5000\/ca\.crt/,
	],
	[
		PRIVATE,
		`${ASKED}tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time 2026-01-01T00:00:00Z is after 2025-01-01T00:00:00Z`,
		/\(certificate has expired or is not yet valid\)$/,
		/clock of the box/,
	],
	[
		PRIVATE,
		`${ASKED}http: server gave HTTP response to HTTPS client`,
		/: reg\.example:5000 speaks plain HTTP/,
		/insecure-registries/,
	],
	[
		PRIVATE,
		"reg.example:5000/me/x:1: not found",
		/^image reg\.example:5000\/me\/x:1: reg\.example:5000 has no such image$/,
		/spelling of its name and tag/,
	],
	[
		"Step 1/2 : FROM busybox:nosuch AS base",
		"manifest for busybox:nosuch not found: manifest unknown: manifest unknown",
		/^image busybox:nosuch: docker\.io has no such image$/,
		/spelling/,
	],
	[
		"STEP 1/2: FROM localhost:5979/none:1",
		"creating build container: initializing source docker://localhost:5979/none:1: reading manifest 1 in localhost:5979/none: manifest unknown\n",
		/^image localhost:5979\/none:1: localhost:5979 has no such image$/,
		/spelling/,
	],
	[
		PRIVATE,
		`${DENIED}: server message: insufficient_scope: authorization failed`,
		/: reg\.example:5000 denies access: the image does not exist, or needs another login$/,
		/this machine, .*: docker login reg\.example:5000$/,
	],
	[
		HUB,
		`${DENIED}: authorization failed: no basic auth credentials`,
		/: docker\.io denies access/,
		/: docker login$/,
	],
	[
		PRIVATE,
		"failed to authorize: failed to fetch oauth token: unexpected status from GET request to https://reg.example:5000/token: 401 Unauthorized",
		/: reg\.example:5000 denies access/,
		/docker login reg\.example:5000$/,
	],
	[
		"Step 1/2 : FROM me/private",
		"pull access denied for me/private, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
		/^image me\/private:latest: docker\.io denies access/,
		/docker login$/,
	],
	[
		PRIVATE,
		"failed to authorize: failed to fetch oauth token: no token for reg.example:5000 from auth.example: it does not accept the login (401 Unauthorized)",
		/: no token for reg\.example:5000 from auth\.example: it does not accept the login \(401 Unauthorized\)$/,
		/docker login reg\.example:5000$/,
	],
	[
		HUB,
		"unexpected status from HEAD request to https://registry-1.docker.io/v2/library/busybox/manifests/nosuch: 429 Too Many Requests",
		/: the pull rate limit of docker\.io is reached \(429/,
		/docker login$/,
	],
	[
		PRIVATE,
		"unexpected status from HEAD request to https://reg.example:5000/v2/me/x/manifests/1: 503 Service Unavailable",
		/: reg\.example:5000 answers 503 Service Unavailable$/,
		/try again later/,
	],
	[
		`[stage-1 1/2] FROM docker.io/library/app:1@sha256:${"0".repeat(64)}`,
		"no match for platform in manifest sha256:00: not found",
		/: it is not available for this platform$/,
		/--platform/,
	],
	[
		"Step 1/2 : FROM --platform=linux/s390x app",
		"no matching manifest for linux/s390x in the manifest list entries",
		/^image app:latest: it is not available for/,
		/--platform/,
	],
	[
		"resolve image config for docker-image://docker.io/docker/dockerfile:99",
		"docker.io/docker/dockerfile:99: not found",
		/^frontend docker\/dockerfile:99: docker\.io has no such image$/,
		/spelling/,
	],
	[
		"resolve image config for docker-image://docker.io/docker/buildkit-syft-scanner:stable-1",
		"docker.io/docker/buildkit-syft-scanner:stable-1: not found",
		/^SBOM generator docker\/buildkit-syft-scanner:stable-1: docker\.io has no such image$/,
		/spelling/,
	],
	[
		"resolve image config for docker-image://localhost:1/sbom:1",
		'failed to do request: Head "https://localhost:1/v2/sbom/manifests/1": dial tcp [::1]:1: connect: connection refused',
		/^SBOM generator localhost:1\/sbom:1: localhost:1 refuses connections from the box$/,
		/^that is the box itself/,
	],
];

describe("why an image could not be had", () => {
	for (const [step, error, reason, hint] of CASES) {
		it(`is told of "${step}": ${error.slice(-60)}`, () => {
			const failure = explainImageFailure(step, error, DOCKERFILE);
			assert.match(`${failure?.image}: ${failure?.reason}`, reason);
			assert.match(failure?.hint ?? "", hint);
		});
	}

	it("is told where only the builder's last word is known", () => {
		const error =
			"failed to solve: app:1: failed to resolve source metadata for docker.io/library/app:1: docker.io/library/app:1: not found";
		assert.equal(explainImageFailure(undefined, error, DOCKERFILE)?.image, "image app:1");
	});

	it("says frontend of what the Dockerfile or its build argument names, and image where neither is known", () => {
		const kindWith = (syntax: string | undefined, buildArgs = {}, pinned = "") => {
			const content = Buffer.from(`${syntax ?? ""}\nFROM app\n`);
			const dockerfile = { displayName: "Dockerfile", content, buildArgs };
			const step = `resolve image config for docker-image://docker.io/me/app:latest${pinned}`;
			const known = syntax === undefined ? undefined : dockerfile;
			return explainImageFailure(step, "app: not found", known)?.image.split(" me/app")[0];
		};
		assert.equal(kindWith("# syntax=me/app"), "frontend");
		assert.equal(kindWith("# syntax=docker.io/me/app"), "frontend");
		assert.equal(kindWith("# syntax=me/app", {}, `@sha256:${"0".repeat(64)}`), "frontend");
		assert.equal(kindWith("", { BUILDKIT_SYNTAX: "me/app:latest" }), "frontend");
		assert.equal(kindWith(""), "SBOM generator");
		assert.equal(kindWith("# syntax=me/app:2"), "SBOM generator");
		assert.equal(kindWith(undefined), "image");
	});

	it("is not told of other steps, nor where it is not known", () => {
		assert.equal(
			explainImageFailure("[2/2] COPY --from=a /x /", "/x: not found", DOCKERFILE),
			undefined,
		);
		assert.equal(explainImageFailure("[2/2] RUN x", "x: not found", DOCKERFILE), undefined);
		assert.equal(
			explainImageFailure(undefined, "dial tcp: connection refused", DOCKERFILE),
			undefined,
		);
		assert.equal(explainImageFailure(HUB, "no space left on device", DOCKERFILE), undefined);
	});
});
