import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { BASE_IMAGE } from "./support/base-image.js";
import { startBox } from "./support/box.js";
import { whyNoDockerd } from "./support/dockerd.js";

// `npm run demo`: builds fixtures/contexts/hello on a box and saves the image. Without `--on BOX` the
// box is a throwaway one: an sshd and a dockerd on this machine, gone afterwards.

const checkout = fileURLToPath(new URL("../..", import.meta.url));
const hello = join(checkout, "fixtures/contexts/hello");

/** Runs rbuild on this terminal, and shows the command line as a user would write it. */
async function rbuild(...args: string[]): Promise<number> {
	console.log(`$ rbuild ${args.join(" ")}\n`);
	const child = spawn(process.execPath, [join(checkout, "bin/rbuild.js"), ...args], {
		stdio: ["ignore", "inherit", "inherit"],
	});
	const [code] = await once(child, "exit");
	return code ?? 1;
}

async function onThrowawayBox(image: string): Promise<number> {
	const why = whyNoDockerd();
	if (why !== undefined) {
		console.error(`the demo cannot start a daemon here: ${why}`);
		console.error("use a box of yours: npm run demo -- --on user@host");
		return 1;
	}
	console.log("starting a throwaway dockerd and sshd on loopback ...");
	await using box = await startBox();
	return await rbuild(
		hello,
		...["-t", "hello", "--build-arg", `BASE=${BASE_IMAGE}`, "--save", image],
		...box.flags,
	);
}

const directory = mkdtempSync(join(tmpdir(), "rbuild-demo-"));
const image = join(directory, "hello.tar");
const args = process.argv.slice(2);
try {
	process.exitCode = args.some((argument) => argument.startsWith("--on"))
		? await rbuild(hello, "-t", "hello", "--save", image, ...args)
		: await onThrowawayBox(image);
} finally {
	rmSync(directory, { recursive: true });
}
