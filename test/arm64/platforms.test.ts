import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
	copyFileSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import type { BuildReport } from "../../src/events.js";
import { startArm64Box, whyNoArm64 } from "../support/arm64-box.js";
import { startBox } from "../support/box.js";
import { rbuild } from "../support/cli.js";

/** Whose binary runs, and on what: the machine says it itself. */
const DOCKERFILE = `FROM scratch
ARG TARGETARCH
COPY $TARGETARCH/busybox /bin/busybox
RUN ["/bin/busybox", "sh", "-c", "/bin/busybox uname -m > /machine"]
`;

suite("an image of amd64 and arm64, built on a machine of each", { skip: whyNoArm64() }, () => {
	test("holds for each platform what that machine has made", async () => {
		const directory = mkdtempSync(join(tmpdir(), "rbuild-arm64-"));
		const place = (...path: readonly string[]) => join(directory, ...path);
		await using amd64 = await startBox();
		await using arm64 = await startArm64Box(directory);
		try {
			for (const name of ["amd64", "arm64"]) mkdirSync(place("context", name), { recursive: true });
			copyFileSync("/bin/busybox", place("context/amd64/busybox"));
			const mode = { mode: 0o755 };
			writeFileSync(place("context/arm64/busybox"), arm64.run("cat /bin/busybox"), mode);
			writeFileSync(place("context/Dockerfile"), DOCKERFILE);
			const sshConfig = place("ssh_config");
			writeFileSync(sshConfig, readFileSync(amd64.sshConfigFile, "utf8") + arm64.sshConfig);

			const { code, stderr } = await rbuild(
				[
					...[place("context"), "-t", "machines", "--platform", "linux/amd64,linux/arm64"],
					...["--on", amd64.on, "--on", arm64.alias, "--ssh-config", sshConfig],
					...["--save", `type=oci,dest=${place("layout")}`],
					...["--metadata-file", place("report.json")],
				],
				{ timeoutMs: 20 * 60_000 },
			);
			assert.equal(code, 0, stderr);

			const { platforms = [] } = JSON.parse(
				readFileSync(place("report.json"), "utf8"),
			) as BuildReport;
			assert.deepEqual(
				platforms.map(({ platform, engine }) => [platform, engine.platform]),
				[
					["linux/amd64", "linux/amd64"],
					["linux/arm64", "linux/arm64"],
				],
			);
			const layout = `oci:${place("layout")}:latest`;
			const index = JSON.parse(
				execFileSync("skopeo", ["inspect", "--raw", layout], { encoding: "utf8" }),
			);
			assert.deepEqual(
				index.manifests.map(({ platform }: { platform: unknown }) => platform),
				[
					{ architecture: "amd64", os: "linux" },
					{ architecture: "arm64", os: "linux" },
				],
			);
			assert.equal(machineIn(layout, "amd64", place("amd64")), "x86_64\n");
			assert.equal(machineIn(layout, "arm64", place("arm64")), "aarch64\n");
		} finally {
			rmSync(directory, { recursive: true, force: true });
		}
	});
});

/** What /machine says in the image of an architecture. */
function machineIn(layout: string, architecture: string, copy: string): string {
	const choice = ["--override-arch", architecture];
	execFileSync("skopeo", ["copy", "--quiet", ...choice, layout, `dir:${copy}`]);
	const { layers } = JSON.parse(readFileSync(join(copy, "manifest.json"), "utf8"));
	const last: string = layers.at(-1).digest;
	assert.ok(readdirSync(copy).includes(last.replace("sha256:", "")));
	const file = join(copy, last.replace("sha256:", ""));
	return execFileSync("tar", ["-xOzf", file, "machine"], { encoding: "utf8" });
}
