import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { createWriteStream, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { BASE_IMAGE } from "../../test/support/base-image.js";
import type { Lab } from "../../test/support/lab.js";
import { shell } from "../shell.js";

export const IMAGE = "rbuild-bench-returns";

const MB = 1_000_000;
const TOP_BYTES = MB;

/** The image on the box that is brought here: a large layer, and one of 1 MB on top. */
export interface BoxImage {
	/** @param part what is new to the box */
	build(part: "all" | "top"): Promise<void>;
	remove(): Promise<void>;
}

/** @param size MB, both layers together */
export function boxImage(box: Lab, context: string, size: number): BoxImage {
	const docker = `ssh -F ${box.sshConfigFile} ${box.networkHost} docker`;
	mkdirSync(context);
	writeFileSync(join(context, "Dockerfile"), `FROM ${BASE_IMAGE}\nCOPY below /\nCOPY top /top\n`);
	return {
		build: async (part) => {
			if (part === "all") await writeSomeFiles(join(context, "below"), size * MB - TOP_BYTES);
			writeFileSync(join(context, "top"), randomBytes(TOP_BYTES));
			await shell(`tar -C ${context} -c . | ${docker} build -q -t ${IMAGE} -`);
		},
		remove: async () => {
			await shell(`${docker} rmi -f ${IMAGE}`).catch(() => {});
		},
	};
}

/** Programs and libraries of this machine: they compress as those of images do. */
async function writeSomeFiles(path: string, bytes: number): Promise<void> {
	// Again and again where there are fewer than that.
	const files = "while tar -C / -c usr/lib usr/bin usr/share; do :; done";
	const tar = spawn("sh", ["-c", `(${files}) | head -c ${bytes - 512}`]);
	tar.stderr.resume();
	const file = createWriteStream(path);
	// So that each round's is new to the box.
	file.write(randomBytes(512));
	await pipeline(tar.stdout, file);
}
