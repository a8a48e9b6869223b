import { createHash } from "node:crypto";
import { readFile, realpath, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { isRemoteUrl } from "../context/context-source.js";
import {
	type DirectoryContext,
	type DirectoryContextOptions,
	openDirectoryContext,
} from "../context/directory-context.js";
import type { Environment } from "../environment.js";
import { ContextError, UsageError } from "../errors.js";
import type { Run } from "../events.js";
import type { Descriptor } from "../image/image-manifest.js";
import { OciLayout } from "../image/oci-layout.js";
import { parseReference } from "../image/reference.js";
import { systemReason } from "../system-reason.js";
import { closeAll } from "./closing.js";
import type { SecretsCheck } from "./options.js";
import { placeKey } from "./place-key.js";
import { type CheckedContext, checkSecrets, pathsToNote } from "./secrets-check.js";

/** What a name in `FROM` or `COPY --from` stands for, instead of an image of that name. */
export type NamedContext =
	/** Sent as the build context is, by its own .dockerignore. */
	| {
			readonly kind: "directory";
			readonly root: string;
			readonly platform: NodeJS.Platform;
			/** The name under which the daemon asks for the files, and keeps them: of this place alone. */
			readonly localName: string;
	  }
	/** An image in a folder, which the daemon reads as it needs it. */
	| {
			readonly kind: "layout";
			readonly path: string;
			/** The name by which the daemon asks for it. */
			readonly localName: string;
			readonly digest: string;
	  }
	/** "docker-image://…" or a URL: the daemon fetches it by itself. */
	| { readonly kind: "remote"; readonly source: string };

/**
 * Reads `--build-context NAME=VALUE` as docker/buildx does: what is neither an image nor a URL is a
 * directory.
 *
 * @returns by the name as BuildKit looks it up: "docker.io/library/alpine:latest" is "alpine"
 * @throws UsageError, ContextError
 */
export async function planNamedContexts(
	values: Readonly<Record<string, string>>,
	environment: Environment,
): Promise<ReadonlyMap<string, NamedContext>> {
	const contexts = new Map<string, NamedContext>();
	for (const [name, value] of Object.entries(values)) {
		const { familiar } = parseReference(name);
		contexts.set(familiar.replace(/:latest$/, ""), await parse(name, value, environment));
	}
	return contexts;
}

/** How the frontend finds them (BuildKit frontend/dockerui/namedcontext.go). */
export function namedContextAttrs(
	contexts: ReadonlyMap<string, NamedContext>,
): Readonly<Record<string, string>> {
	if (contexts.size === 0) return {};
	const attrs = [...contexts].map(([name, context]) => [`context:${name}`, sourceOf(context)]);
	// For a frontend from elsewhere: one that does not know of contexts is to say so.
	return {
		...Object.fromEntries(attrs),
		"frontend.caps": "moby.buildkit.frontend.contexts+forward",
	};
}

function sourceOf(context: NamedContext): string {
	switch (context.kind) {
		case "directory":
			return `local:${context.localName}`;
		case "layout":
			return `oci-layout://${context.localName}@${context.digest}`;
		case "remote":
			return context.source;
	}
}

/** The directories among the named contexts, which are walked from the moment they are opened. */
export class NamedDirectories implements AsyncDisposable {
	readonly directories: ReadonlyMap<string, DirectoryContext>;
	/** Of all of them. */
	readonly totals: { readonly files: number; readonly bytes: number };

	/** @throws ContextError, InterruptedError */
	static async open(
		contexts: ReadonlyMap<string, NamedContext>,
		secretsCheck: SecretsCheck,
		run: Run,
	): Promise<NamedDirectories> {
		const directories = new Map<string, DirectoryContext>();
		try {
			const toCheck: CheckedContext[] = [];
			for (const [name, context] of contexts) {
				if (context.kind !== "directory") continue;
				const ignore = await ignoreFileOf(context.root);
				const directory = openDirectory(context, ignore, secretsCheck, run.signal);
				directories.set(context.localName, directory);
				const { root, platform } = context;
				toCheck.push({ name, root, platform, ignore, walked: directory.walked });
			}
			for (const context of toCheck) {
				await checkSecrets(context, secretsCheck, run);
			}
			const walked = await Promise.all([...directories.values()].map((one) => one.walked));
			const total = (field: "files" | "bytes") =>
				walked.reduce((sum, summary) => sum + summary[field], 0);
			return new NamedDirectories(directories, { files: total("files"), bytes: total("bytes") });
		} catch (error) {
			await closeAll(directories.values());
			throw error;
		}
	}

	private constructor(
		directories: ReadonlyMap<string, DirectoryContext>,
		totals: NamedDirectories["totals"],
	) {
		this.directories = directories;
		this.totals = totals;
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await closeAll(this.directories.values());
	}
}

/** It is walked by the rules that the daemon will find in it. */
function openDirectory(
	{ root, platform }: NamedContext & { kind: "directory" },
	ignore: DirectoryContextOptions["ignore"],
	secretsCheck: SecretsCheck,
	signal: AbortSignal,
): DirectoryContext {
	const note = pathsToNote(secretsCheck);
	const keep = [".dockerignore"];
	return openDirectoryContext({ root, ...(ignore && { ignore }), keep, platform, note }, signal);
}

async function ignoreFileOf(root: string): Promise<DirectoryContextOptions["ignore"]> {
	const file = join(root, ".dockerignore");
	try {
		return { content: await readFile(file), file };
	} catch (error) {
		const { code } = error as NodeJS.ErrnoException;
		if (code === "ENOENT") return undefined;
		throw new ContextError(`cannot read ${file}: ${systemReason(error)}`, { cause: error });
	}
}

async function parse(name: string, value: string, environment: Environment): Promise<NamedContext> {
	if (value === "") {
		throw new UsageError(`--build-context ${name} has an empty value`, {
			hint: "a variable that is not set? Leave the flag out to do without",
		});
	}
	if (value.startsWith("docker-image://") || isRemoteUrl(value)) {
		return { kind: "remote", source: value };
	}
	if (value.startsWith("target:")) {
		throw new UsageError(`--build-context ${name}: rbuild knows no targets of a bake file`, {
			hint: "it takes a directory, docker-image://NAME, oci-layout://FOLDER, and git and http URLs",
		});
	}
	const layout = /^oci-layout:\/\/(.+?)(?::(\w[\w.-]{0,127}))?(?:@(sha256:[0-9a-f]{64}))?$/s.exec(
		value,
	);
	if (layout !== null) return parseLayout(name, layout, environment);
	const directory = resolve(environment.workingDirectory, value);
	const problem = await whyNoDirectory(directory);
	if (problem !== undefined) {
		throw new ContextError(`the build context ${name} (${value}) ${problem}`, {
			hint: `it was looked for at ${directory}`,
		});
	}
	const root = await realpath(directory);
	// The session's key is the main context's, which other machines may share.
	const localName = `${name}-${(await placeKey(root, environment)).slice(0, 16)}`;
	return { kind: "directory", root, platform: environment.platform, localName };
}

async function whyNoDirectory(path: string): Promise<string | undefined> {
	try {
		return (await stat(path)).isDirectory() ? undefined : "is not a directory";
	} catch (error) {
		const { code } = error as NodeJS.ErrnoException;
		if (code === "ENOENT" || code === "ENOTDIR") return "does not exist";
		return `cannot be read: ${systemReason(error)}`;
	}
}

/** As docker/buildx reads "oci-layout://FOLDER[:TAG][@DIGEST]"; without either, the tag is "latest" or the image alone. */
async function parseLayout(
	name: string,
	[value, folder = "", tag, digest]: RegExpExecArray,
	{ workingDirectory }: Environment,
): Promise<NamedContext> {
	const path = resolve(workingDirectory, folder);
	const found = digest ?? (await imageIn(new OciLayout(path), tag))?.digest;
	if (found === undefined) {
		const missing = tag === undefined ? "no image" : `no image with the tag ${tag}`;
		throw new ContextError(`the build context ${name} (${value}) has ${missing}`, {
			hint: `it was looked for in ${join(path, "index.json")}`,
		});
	}
	const hash = createHash("sha256").update(path).digest("hex").slice(0, 16);
	return { kind: "layout", path, localName: `layout-${hash}`, digest: found };
}

async function imageIn(
	layout: OciLayout,
	tag: string | undefined,
): Promise<Descriptor | undefined> {
	const tagged = await layout.find(tag ?? "latest");
	if (tagged !== undefined || tag !== undefined) return tagged;
	const [only, ...more] = await layout.manifests();
	return more.length === 0 ? only : undefined;
}
