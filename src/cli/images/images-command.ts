import { withBox } from "../../build/box/box-work.js";
import { type ListedImage, listImages } from "../../engine/images.js";
import type { ExitCode } from "../../errors.js";
import { OWN_IMAGES } from "../../image/index-image.js";
import { printableJson, printableName } from "../../printable.js";
import { formatBytes, shortImageId } from "../../render/format.js";
import { onInterrupt } from "../process/interrupts.js";
import { processSurroundings, type SshValues } from "../process/process-environment.js";
import { stdoutWidth } from "../process/screen.js";
import { terminalPrompt } from "../process/terminal-prompt.js";
import { tableOf } from "../table.js";

export interface ImagesArguments extends SshValues {
	readonly on?: readonly string[];
	readonly format: "table" | "json";
}

/** `rbuild images`: what can be pulled from the box. */
export async function runImages(values: ImagesArguments): Promise<ExitCode | 0> {
	using interrupts = onInterrupt(() => {});
	const prompt = terminalPrompt(() => undefined);
	const { environment } = processSurroundings(values, prompt);
	const options = values.on === undefined ? {} : { on: values.on };
	const run = { emit: () => {}, signal: interrupts.signal };
	const images = await withBox(options, environment, run, (box) =>
		box.keep((engine) => listImages(engine, run.signal)),
	);
	const theirs = images.filter(({ tags }) => !tags.some((tag) => tag.startsWith(OWN_IMAGES)));
	process.stdout.write(
		values.format === "json"
			? `${printableJson(JSON.stringify(theirs))}\n`
			: tableOf(HEAD, theirs.flatMap(rows), stdoutWidth()),
	);
	return 0;
}

const HEAD = ["IMAGE", "ID", "CREATED", "SIZE"];

function rows({ id, tags, size, createdAt }: ListedImage): string[][] {
	const created = new Date(createdAt).toISOString().slice(0, 16).replace("T", " ");
	const names = tags.length > 0 ? tags : ["<none>"];
	return names.map((name) => [
		printableName(name),
		printableName(shortImageId(id)),
		created,
		formatBytes(size),
	]);
}
